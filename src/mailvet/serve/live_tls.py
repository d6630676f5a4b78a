"""The server's certificate, read anew when its files change: each handshake has the newest pair.

gRPC speaks TLS 1.2 and 1.3, nothing older. A pair that does not go together, as while it is being
replaced, is passed over: the one before it goes on.
"""

import ssl
from collections.abc import Sequence
from pathlib import Path

import grpc

from mailvet.errors import ConfigError
from mailvet.telemetry.logs import logger

_LOG = logger("serve")

Stamp = tuple[tuple[int, int, int], ...]
"""What tells a file from the one that had its name before: inode, size and time."""


class LiveCertificate:
    """A certificate, its key and the authority of clients, in files."""

    def __init__(self, certificate: Path, key: Path, client_ca: Path | None) -> None:
        """Read the files; raises `ConfigError` when they would not serve."""
        self._pair = certificate, key
        self._files = [certificate, key, *([client_ca] if client_ca else [])]
        self._require_client = client_ca is not None
        self._stamp: Stamp = ()
        try:
            self._configuration = self._read()
        except ssl.SSLError as error:
            raise ConfigError(
                f"tls_cert = {certificate} and tls_key = {key} do not go together, or are no PEM"
                f" ({error.reason or error})"
            ) from None
        except OSError as error:
            name = error.filename or certificate
            raise ConfigError(f"cannot read {name}: {error.strerror}") from None

    def credentials(self) -> grpc.ServerCredentials:
        """Return what a port is opened with."""
        return grpc.dynamic_ssl_server_credentials(
            self._configuration,
            self._renewed,  # type: ignore[arg-type]  # None says that nothing changed
            self._require_client,
        )

    def _renewed(self) -> grpc.ServerCertificateConfiguration | None:
        """What the next handshake uses when that is something new; gRPC asks before each.

        It asks from a thread of its own, and must never get an exception.
        """
        try:
            if _stamp(self._files) == self._stamp:
                return None
            self._configuration = self._read()
        except OSError as error:  # an SSLError is one too
            _LOG.warning("tls.not_renewed", reason=str(error))
            return None
        _LOG.info("tls.renewed", certificate=str(self._pair[0]))
        return self._configuration

    def _read(self) -> grpc.ServerCertificateConfiguration:
        stamp = _stamp(self._files)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._pair)
        certificate, key, *authorities = (file.read_bytes() for file in self._files)
        configuration = grpc.ssl_server_certificate_configuration(
            [(key, certificate)], authorities[0] if authorities else None
        )
        # Only now: what changed while it was read is read again for the next handshake.
        self._stamp = stamp
        return configuration


def _stamp(files: Sequence[Path]) -> Stamp:
    stats = [file.stat() for file in files]
    return tuple((stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats)
