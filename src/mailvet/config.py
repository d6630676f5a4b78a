"""Every setting, with its meaning, unit and default: defaults < TOML < environment < flags.

The environment name of a setting is `MAILVET_` and its name in capitals. Docs and `--help` are
made from the descriptions here.
"""

import difflib
import os
import socket
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mailvet import failpoints
from mailvet.errors import ConfigError
from mailvet.model.access import Scope
from mailvet.model.admission import (
    CONNECTION_CALLS,
    OPEN_STREAMS,
    OPEN_VERIFICATIONS,
    REQUEST_BURST,
    REQUEST_RATE,
)
from mailvet.model.keeping import BATCH_LIMIT, STORAGE_LIMIT_BYTES

PREFIX = "MAILVET_"
CONFIG_FILE = PREFIX + "CONFIG"
NOT_SETTINGS = frozenset(
    {CONFIG_FILE, PREFIX + "TARGET", PREFIX + "KEY", failpoints.VARIABLE, failpoints.ENABLE}
)
"""Environment names that are read elsewhere."""


def _own_name() -> str:
    """The host's full name: RFC 5321 4.1.4 wants one that resolves in HELO."""
    return socket.getfqdn() or "localhost.localdomain"


class IdentitySettings(BaseModel):
    """One of several identities; each is used as a whole, and always the same one for a route."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    helo: str
    mail_from: str = ""
    source_address: str | None = None
    proxy: str | None = None


class ClientCertificate(BaseModel):
    """Who a client is whose certificate has this name (a URI or DNS name)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    tenant: str = Field(min_length=1)
    scopes: tuple[Scope, ...] = ()


class Settings(BaseModel):
    """How one server runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: str = Field("127.0.0.1:50051", description="address and port to serve gRPC on")
    store: str = Field("mailvet.db", description="path of the SQLite store; :memory: keeps nothing")
    storage_limit_bytes: int = Field(
        STORAGE_LIMIT_BYTES,
        ge=0,
        description="how much the batches of one tenant may hold, in bytes",
    )
    batch_limit: int = Field(
        BATCH_LIMIT, ge=1, description="how many batches one tenant may have, ended ones too"
    )
    request_rate: float = Field(
        REQUEST_RATE,
        ge=0,
        description="management calls a second of one API key in the long run (verifications and"
        " streams are not counted); 0 for any number. Callers without a key are not held to it",
    )
    request_burst: int = Field(
        REQUEST_BURST, ge=1, description="management calls of one API key at once"
    )
    stream_limit: int = Field(OPEN_STREAMS, ge=1, description="open streams of one tenant")
    verification_limit: int = Field(
        OPEN_VERIFICATIONS,
        ge=1,
        description="VerifyEmail and VerifyEmails calls of one tenant under way",
    )
    connection_calls: int = Field(
        CONNECTION_CALLS,
        ge=1,
        description="open calls of one connection; a client holds further ones back without a word,"
        " so one that needs more opens more connections",
    )
    tls_cert: Path | None = Field(
        None, description="PEM certificate chain of the server; a change is taken up at once"
    )
    tls_key: Path | None = Field(
        None, description="PEM private key of the server; must not be readable by everybody"
    )
    tls_client_ca: Path | None = Field(
        None,
        description="PEM file of authorities that sign clients' certificates; with it every client"
        " needs one",
    )
    client_certificate: tuple[ClientCertificate, ...] = Field(
        (),
        description="who calls with a certificate and without a key, as [[client_certificate]]"
        " tables of the TOML file (name, which is a URI or DNS name in it; tenant; scopes, all"
        " when not set)",
    )
    token_keys: tuple[Path, ...] = Field(
        (),
        description="PEM files of private keys (Ed25519, P-256, RSA) for tokens: the first signs,"
        " all are believed; unset: made of the store's secret, a new one every 30 days",
    )
    audit_retention_days: float = Field(
        365, ge=1, description="days for which the audit log is kept; a yearly review sees it whole"
    )
    insecure: bool = Field(
        default=False,
        description="serve other than loopback without TLS and keys (say so on purpose)",
    )
    require_keys: bool | None = Field(
        default=None, description="ask every caller for an API key; unset: yes, except on loopback"
    )
    reflection: bool = Field(default=True, description="serve reflection, for grpcurl")
    drain_grace_s: float = Field(25, ge=0, description="seconds to end work after SIGTERM")

    callback_ports: tuple[int, ...] = Field(
        (443, 8443), description="ports that callbacks may go to; others would make us a scanner"
    )
    callback_http: bool = Field(
        default=False,
        description="let callbacks go without TLS and to any port; for tests only",
    )
    callback_allow_network: tuple[str, ...] = Field(
        (), description="reserved networks (CIDR) that callbacks may go to, such as your own"
    )
    callback_ca: Path | None = Field(
        None, description="PEM file of authorities whose certificates callbacks trust too"
    )

    resolver: str | None = Field(
        default=None, description="name servers HOST:PORT[,HOST:PORT]; unset: the system's"
    )
    dns_timeout_s: float = Field(5, gt=0, description="seconds for one DNS question, all tries")
    ipv6: bool = Field(
        default=True, description="dial exchangers over IPv6 too, where there is a way"
    )
    smtp_port: int = Field(25, ge=1, le=65535, description="port of the exchangers")
    allow_network: tuple[str, ...] = Field(
        (), description="reserved networks (CIDR) that may be dialled, for tests"
    )
    helo: str = Field(default_factory=_own_name, description="our name in EHLO; must resolve to us")
    mail_from: str = Field(
        "", description="our sender in MAIL FROM; empty is the null sender (RFC 5321 4.5.5)"
    )
    source_address: str | None = Field(None, description="local IP address to connect from")
    proxy: str | None = Field(None, description="socks5://HOST:PORT to connect through")
    identity: tuple[IdentitySettings, ...] = Field(
        (),
        description="several identities, as [[identity]] tables of the TOML file (helo, mail_from, "
        "source_address, proxy); they replace the four settings above",
    )
    lists_dir: Path | None = Field(
        None, description="folder of additional list files; a change is taken up within seconds"
    )
    unknown_user_limit: int = Field(
        200,
        ge=0,
        le=1_000_000,
        description="mailboxes of one domain that one tenant may find not to exist within an hour"
        " while they are most of what it asks there (20 times as many of public mail providers);"
        " further ones end as UNKNOWN_USER_LIMIT. Old lists have fewer, who guesses names has"
        " more; 0 for any number",
    )
    abuse_contact: str = Field(
        "",
        description="where people write who do not want to be probed (a page or a mailbox); told"
        " by GetServerInfo. Put it on the page of the name in `helo` too",
    )
    points_file: Path | None = Field(
        None, description="TOML file of risk points that take the place of the built-in ones"
    )

    window_entries: int = Field(
        5000, ge=1, le=1_000_000, description="entries held in memory while they are worked on"
    )
    memory_limit_mib: int = Field(
        2048,
        ge=0,
        description="MiB of memory above which a process takes on nothing new and drops its"
        " caches; 0 is no limit. Keep it below what the system grants, which would kill it",
    )
    processes: int = Field(
        0,
        ge=0,
        le=64,
        description="processes that probe beside the serving one; 0 lets it probe itself. Each has"
        " its share of the limits below, at least one session to each set of exchangers",
    )
    max_sessions: int = Field(
        500, ge=1, le=60_000, description="SMTP sessions at once, to all exchangers together"
    )
    route_sessions: int = Field(
        2, ge=1, le=1000, description="SMTP sessions at once to one set of exchangers"
    )
    session_recipients: int = Field(
        20, ge=1, le=1000, description="recipients asked for in one SMTP session"
    )
    resolving: int = Field(200, ge=1, le=10_000, description="domains resolved at once")
    time_scale: float = Field(
        1, gt=0, le=100, description="multiplies every SMTP deadline (tests use less than 1)"
    )
    retry_scale: float = Field(
        1, ge=0, le=100, description="multiplies every wait between attempts (tests use less)"
    )
    egress_threshold: int = Field(
        3, ge=1, description="unrelated exchangers that must fail in a row before we suspect us"
    )
    egress_patience_s: float = Field(
        3600, ge=0, description="seconds to wait for our own network before giving up an entry"
    )
    egress_canaries: tuple[str, ...] = Field(
        ("gmail.com", "outlook.com", "yahoo.com"),
        description="domains whose exchangers are greeted (no more) to tell their fault from ours",
    )
    catch_all_ttl_s: float = Field(
        86_400, ge=0, description="seconds for which a domain's catch-all answer is kept"
    )
    remembered_answers: int = Field(
        100_000,
        ge=0,
        le=10_000_000,
        description="mailboxes whose answers each process remembers for callers who take old ones"
        " (max_age), some 600 bytes each; they are forgotten with the process",
    )
    log_level: str = Field("info", description="debug, info, warning or error")
    log_addresses: str = Field(
        "none",
        description="what is left where a log line would hold an address: none of it, its domain,"
        " or hash (8 digits that are the same for the same mailbox until the process ends, and the"
        " domain)",
    )
    log_format: str = Field("auto", description="json, console, or auto: console on a terminal")

    @field_validator(
        "allow_network",
        "callback_allow_network",
        "callback_ports",
        "token_keys",
        "egress_canaries",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(filter(None, value.split(","))) if isinstance(value, str) else value

    @field_validator("allow_network", "callback_allow_network")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ip_network(network)  # raises ValueError with the network's text in it
        return value

    @field_validator("log_addresses")
    @classmethod
    def _is_mode(cls, value: str) -> str:
        if value not in ("none", "domain", "hash"):
            raise ValueError("use none, domain or hash")
        return value

    @field_validator("log_level")
    @classmethod
    def _is_level(cls, value: str) -> str:
        if value not in ("debug", "info", "warning", "error"):
            raise ValueError("use debug, info, warning or error")
        return value


def load(flags: Mapping[str, Any] | None = None, config_file: str | None = None) -> Settings:
    """Return the settings in force; raise `ConfigError` naming the setting and the way out.

    `flags` holds what the command line sets (None values are not set).
    """
    values = {
        name: value
        for layer in _layers(flags, config_file).values()
        for name, value in layer.items()
    }
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigError("; ".join(_explain(item) for item in error.errors())) from None


def origins(
    flags: Mapping[str, Any] | None = None, config_file: str | None = None
) -> dict[str, str]:
    """Return where each setting in force comes from: `default`, a file, `environment` or `flag`.

    Raises `ConfigError` as `load` does for what cannot be read.
    """
    found = dict.fromkeys(Settings.model_fields, "default")
    for origin, layer in _layers(flags, config_file).items():
        found |= dict.fromkeys(layer, origin)
    return found


def _layers(
    flags: Mapping[str, Any] | None, config_file: str | None
) -> dict[str, Mapping[str, Any]]:
    """What each origin sets; the later one wins."""
    path = config_file or os.environ.get(CONFIG_FILE)
    return {
        str(path): _read_toml(path) if path else {},
        "environment": _read_environment(),
        "flag": {name: value for name, value in (flags or {}).items() if value is not None},
    }


def _read_toml(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the configuration file {path}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None


def _read_environment() -> dict[str, str]:
    failpoints.refuse_if_wrong()
    known = {PREFIX + name.upper(): name for name in Settings.model_fields}
    values = {}
    for name, value in os.environ.items():
        if not name.startswith(PREFIX) or name in NOT_SETTINGS or not value:
            continue
        if name not in known:
            raise ConfigError(f"{name} is no setting{_meant(name, set(known))}")
        values[known[name]] = value
    return values


def _explain(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "settings"
    if error["type"] == "extra_forbidden":
        return f"{name} is no setting{_meant(name, set(Settings.model_fields))}"
    reason = error["msg"].removeprefix("Value error, ")
    return f"{name} = {error['input']!r}: {reason} ({describe(name)})"


def describe(name: str) -> str:
    """The meaning of a setting, as `--help` and the docs print it."""
    field = Settings.model_fields.get(name.split(".", maxsplit=1)[0])
    return (field.description or "") if field else ""


def _meant(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else "; `mailvet serve --help` lists them"
