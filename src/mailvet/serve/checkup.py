"""What a host needs to verify: each need with what was found, and the way out."""

import asyncio
import os
import resource
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from mailvet.config import Settings
from mailvet.errors import ConfigError
from mailvet.model.route import MxOutcome
from mailvet.mx import Resolver
from mailvet.serve.clock import clock_fault
from mailvet.serve.engine_room import build_identities, build_resolver, build_weights
from mailvet.serve.listening import server_options
from mailvet.serve.lists_watch import ListsWatch
from mailvet.serve.tls_files import tls_fault
from mailvet.smtp.greeting import greets

CONNECT_S = 10.0
"""As long as a session waits for a connection (`smtp.limits`)."""
FREE_BYTES = 1024**3
"""Room for some three million results; less may be filled by one batch."""
SPARE_FILES = 256
"""Descriptors beside the sessions: callers, the store, name servers, logs."""
WELL_KNOWN = "gmail.com"
"""Asked for when no canaries are set: a domain that is always there."""


class Health(Enum):
    """Whether a need is met."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Outcome(NamedTuple):
    """What one check found."""

    check: str
    health: Health
    found: str
    way_out: str = ""


async def examine(settings: Settings) -> AsyncIterator[Outcome]:
    """Yield the outcome of every check, the quick ones first; nothing is changed for good."""
    for check in (_configuration, _tls, _address, _store, _files, _clock):
        yield check(settings)
    try:
        resolver = build_resolver(settings)
    except ConfigError as error:
        yield Outcome("resolver", Health.FAILED, str(error), "set `resolver` to HOST:PORT")
        return
    try:
        yield await _names(settings, resolver)
        yield await _port_25(settings, resolver)
        yield await _our_name(settings, resolver)
    finally:
        await resolver.close()


def _configuration(settings: Settings) -> Outcome:
    try:
        server_options(settings)
        build_identities(settings)
        build_weights(settings)
        lists = ListsWatch(settings.lists_dir).lists
    except ConfigError as error:
        return Outcome("settings", Health.FAILED, str(error), "`mailvet config` shows them all")
    return Outcome("settings", Health.OK, f"go together; {len(lists.domain_lists)} domain lists")


def _tls(settings: Settings) -> Outcome:
    if settings.tls_cert is None or settings.tls_key is None:
        return Outcome("tls", Health.OK, f"none; serves plain text on {settings.listen}")
    fault = tls_fault(settings.tls_cert, settings.tls_key)
    if fault:
        return Outcome("tls", Health.FAILED, fault, "set `tls_cert` and `tls_key` to a valid pair")
    return Outcome("tls", Health.OK, f"{settings.tls_cert} is valid and goes with its key")


def _address(settings: Settings) -> Outcome:
    host, _, port = settings.listen.rpartition(":")
    if settings.listen.startswith("unix:") or not port.isdigit():
        return Outcome("listen", Health.OK, settings.listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host.strip("[]"), int(port)))
    except OSError as error:
        found = f"{settings.listen}: {error.strerror}"
        way_out = "fine when it is a mailvet that runs already; else set another `listen`"
        return Outcome("listen", Health.WARNING, found, way_out)
    return Outcome("listen", Health.OK, f"{settings.listen} is free")


def _store(settings: Settings) -> Outcome:
    if settings.store == ":memory:":
        way_out = "set `store` to a file, or every restart loses all batches"
        return Outcome("store", Health.WARNING, "in memory: nothing is kept", way_out)
    path = Path(settings.store)
    folder = path.absolute().parent
    try:
        tempfile.TemporaryFile(dir=folder).close()
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(13, os.strerror(13), str(path))
        free = shutil.disk_usage(folder).free
    except OSError as error:
        found = f"cannot write {error.filename or folder}: {error.strerror}"
        way_out = "create the folder and let this user write there, or set another `store`"
        return Outcome("store", Health.FAILED, found, way_out)
    if free < FREE_BYTES:
        found = f"{folder} has {free // 2**20} MiB left"
        return Outcome("store", Health.WARNING, found, "make room, or set another `store`")
    return Outcome("store", Health.OK, f"{path} can be written, {free // 2**30} GiB are free")


def _files(settings: Settings) -> Outcome:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = settings.max_sessions + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        way_out = f"`ulimit -n {needed}` (hard limit {hard}), or set fewer `max_sessions`"
        found = f"{soft} open files are allowed, {needed} wanted"
        return Outcome("open files", Health.WARNING, found, way_out)
    return Outcome("open files", Health.OK, f"{soft} are allowed, {needed} wanted")


def _clock(_settings: Settings) -> Outcome:
    fault = clock_fault()
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if fault:
        way_out = "run chrony or systemd-timesyncd: retries, retention and TLS go by the clock"
        return Outcome("clock", Health.WARNING, f"{now}; {fault}", way_out)
    return Outcome("clock", Health.OK, now)


async def _names(settings: Settings, resolver: Resolver) -> Outcome:
    name = next(iter(settings.egress_canaries), WELL_KNOWN)
    started = time.monotonic()
    answer = await resolver.mail_route(name)
    took = f"{name}: {answer.outcome.value} after {time.monotonic() - started:.2f} s"
    if answer.outcome in (MxOutcome.EXCHANGERS, MxOutcome.IMPLICIT):
        return Outcome("resolver", Health.OK, took)
    asked = settings.resolver or "the system's name servers"
    way_out = f"{asked} must answer for the whole internet; set `resolver` to one that does"
    return Outcome("resolver", Health.FAILED, took, way_out)


async def _port_25(settings: Settings, resolver: Resolver) -> Outcome:
    check = f"port {settings.smtp_port} out"
    names = settings.egress_canaries or (WELL_KNOWN,)
    routes = await asyncio.gather(*(resolver.mail_route(name) for name in names))
    addresses = [route.exchangers[0].addresses[0] for route in routes if route.exchangers]
    if not addresses:
        return Outcome(check, Health.FAILED, "no exchanger is known to try", "see resolver")
    greeted = await asyncio.gather(
        *(
            greets(
                address,
                settings.smtp_port,
                timeout_s=CONNECT_S * settings.time_scale,
                source_address=settings.source_address,
            )
            for address in addresses
        )
    )
    if any(greeted):
        return Outcome(check, Health.OK, f"{sum(greeted)} of {len(greeted)} exchangers greet us")
    way_out = "have your provider open it, run elsewhere, or set `proxy` to a host that may"
    found = f"none of {len(greeted)} exchangers greets us ({', '.join(names)})"
    health = Health.WARNING if settings.proxy else Health.FAILED  # greeted without the proxy
    return Outcome(check, health, found, way_out)


async def _our_name(settings: Settings, resolver: Resolver) -> Outcome:
    names = [one.helo for one in settings.identity] or [settings.helo]
    answers = await asyncio.gather(*(resolver.mail_route(name) for name in names))
    exists = (MxOutcome.EXCHANGERS, MxOutcome.IMPLICIT, MxOutcome.UNROUTABLE)
    lost = [
        name for name, answer in zip(names, answers, strict=True) if answer.outcome not in exists
    ]
    if lost:
        found = f"{', '.join(lost)} has no address in DNS"
        way_out = "set `helo` to a name whose address is ours and whose PTR record names it"
        return Outcome("our name", Health.WARNING, found, way_out)
    return Outcome("our name", Health.OK, f"{', '.join(names)} is known in DNS")
