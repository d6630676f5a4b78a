"""Where the server may listen, and what it asks of callers there."""

from ipaddress import ip_address

import grpc

from mailvet.accounts.token_keys import FileKeys
from mailvet.config import Settings
from mailvet.errors import ConfigError
from mailvet.model.access import ALL_SCOPES, Caller, Credential
from mailvet.model.admission import AdmissionLimits
from mailvet.rpc.server import ServerOptions
from mailvet.serve.callback_room import url_rules
from mailvet.serve.live_tls import LiveCertificate
from mailvet.serve.secret_files import require_private


def is_loopback(listen: str) -> bool:
    """Whether only this machine can connect: a loopback address or a Unix socket."""
    if listen.startswith("unix:"):
        return True
    host = listen.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def server_options(settings: Settings) -> ServerOptions:
    """Return how to listen; raises `ConfigError` for a combination that would be open to all."""
    _check_address(settings.listen)
    loopback = is_loopback(settings.listen)
    credentials = _credentials(settings)
    if credentials is None and not loopback and not settings.insecure:
        raise ConfigError(
            f"listen = {settings.listen!r} is open to other machines: give it TLS with tls_cert "
            "and tls_key, listen on 127.0.0.1, or say --insecure if something in front does TLS"
        )
    open_to_all = loopback or (settings.insecure and credentials is None)
    require_keys = not open_to_all if settings.require_keys is None else settings.require_keys
    if not require_keys and not loopback and not settings.insecure:
        raise ConfigError(
            "require_keys = false would let everybody in: listen on 127.0.0.1 or say --insecure"
        )
    return ServerOptions(
        address=settings.listen,
        credentials=credentials,
        require_keys=require_keys,
        reflection=settings.reflection,
        certificates=_certificates(settings),
        token_keys=_token_keys(settings),
        audit_retention_s=settings.audit_retention_days * 86_400,
        admission=AdmissionLimits(
            request_rate=settings.request_rate,
            request_burst=settings.request_burst,
            streams=settings.stream_limit,
            verifications=settings.verification_limit,
            connection_calls=settings.connection_calls,
        ),
        callback_rules=url_rules(settings),
    )


def _check_address(listen: str) -> None:
    if listen.startswith("unix:"):
        return
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"listen = {listen!r}: write HOST:PORT, as in 127.0.0.1:50051")


def _credentials(settings: Settings) -> grpc.ServerCredentials | None:
    certificate, key, client_ca = settings.tls_cert, settings.tls_key, settings.tls_client_ca
    if settings.client_certificate and client_ca is None:
        raise ConfigError(
            "client_certificate needs tls_client_ca: the authority that signs them, or nothing "
            "says that a certificate is what it claims to be"
        )
    if certificate is None and key is None:
        if client_ca is not None:
            raise ConfigError("tls_client_ca needs TLS: set tls_cert and tls_key too")
        return None
    if certificate is None or key is None:
        raise ConfigError("tls_cert and tls_key go together: one of them is missing")
    require_private("tls_key", key)
    return LiveCertificate(certificate, key, client_ca).credentials()


def _certificates(settings: Settings) -> dict[str, Caller]:
    """Who calls, by each name that the settings map."""
    return {
        one.name: Caller(
            one.tenant,
            scopes=frozenset(one.scopes) if one.scopes else ALL_SCOPES,
            credential=Credential.CERTIFICATE,
        )
        for one in settings.client_certificate
    }


def _token_keys(settings: Settings) -> FileKeys | None:
    for path in settings.token_keys:
        require_private("token_keys", path)
    return FileKeys(settings.token_keys) if settings.token_keys else None
