"""The engine with everything it needs, from the settings."""

import contextlib
import random
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from mailvet.config import Settings
from mailvet.engine.answers import Answers
from mailvet.engine.breaker import DETAIL, HINDRANCE, Breaker, BreakerLimits
from mailvet.engine.canary import Canary
from mailvet.engine.case import Case, DomainCard
from mailvet.engine.domains import DomainBook
from mailvet.engine.encoder import PlainEncoder
from mailvet.engine.gathering import GATHER_S, Gathering
from mailvet.engine.harvest import Gate, HarvestGuard
from mailvet.engine.judge import Judge
from mailvet.engine.pace import COOL_OFF_S, PaceLimits
from mailvet.engine.pipeline import Pipeline
from mailvet.engine.realtime import Realtime
from mailvet.engine.recall import Recall
from mailvet.engine.retry import RetrySchedule
from mailvet.engine.rhythm import DEFAULT_RHYTHM, Rhythm
from mailvet.engine.routes import Lot, Route, RouteDesk
from mailvet.engine.throttling import throttling
from mailvet.engine.visits import Visits
from mailvet.engine.worker import Worker
from mailvet.errors import ConfigError, Unavailable
from mailvet.lists import suggest
from mailvet.model.address import Address
from mailvet.model.reply import Reading, Reply, Stage
from mailvet.model.route import Exchanger
from mailvet.model.status import QualityLevel
from mailvet.mx import (
    AddressGuard,
    DnsTransport,
    PlainAsk,
    Resolver,
    WayOut,
    nameservers_from,
)
from mailvet.serve.lists_watch import ListsWatch
from mailvet.smtp import Envelope, Identity, IdentityPool, Report, VisitLimits, visit
from mailvet.smtp.greeting import greets
from mailvet.smtp.meanings import meaning_of
from mailvet.smtp.transcript import OnLine
from mailvet.store.base import WorkStore
from mailvet.store.hindrances import THROTTLED
from mailvet.syntax import bare_domain, nobody_at, parse
from mailvet.verdict.points import Weights, default_weights, read_weights


def build_resolver(settings: Settings) -> Resolver:
    """Return the resolver that the settings ask for; raises `ConfigError`."""
    try:
        servers = nameservers_from(settings.resolver)
    except ValueError as error:
        raise ConfigError(f"resolver: {error}") from None
    ask = PlainAsk(DnsTransport(servers, timeout_s=settings.dns_timeout_s))
    guard = AddressGuard(settings.allow_network)
    return Resolver(ask, guard, begin=ask.begin, ipv6=settings.ipv6, way_out=_way_out(settings))


def _way_out(settings: Settings) -> Callable[[], bool]:
    """Who tells whether IPv6 leads anywhere; a proxy or a test network may where our kernel does
    not."""
    proxies = [one.proxy for one in settings.identity or (settings,)]
    if any(proxies) or any(":" in network for network in settings.allow_network):
        return lambda: True
    return WayOut(time.monotonic)


def build_identities(settings: Settings) -> IdentityPool:
    """Return who we are to exchangers; raises `ConfigError`."""
    try:
        return IdentityPool(
            Identity(
                helo=one.helo,
                mail_from=one.mail_from,
                source_address=one.source_address,
                proxy=one.proxy,
            )
            for one in settings.identity or (settings,)
        )
    except ValueError as error:
        raise ConfigError(str(error)) from None


def build_weights(settings: Settings) -> Weights:
    """Return the weights of the risk points; raises `ConfigError`."""
    path = settings.points_file
    if path is None:
        return default_weights()
    try:
        return read_weights(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"points_file {path}: {error.strerror}") from None
    except ValueError as error:  # also what is no UTF-8 and no TOML
        raise ConfigError(f"points_file {path}: {error}") from None


class EngineRoom:
    """Everything that verifies: shared by the worker and by callers who wait."""

    def __init__(
        self,
        settings: Settings,
        store: WorkStore,
        encoder: PlainEncoder,
        rhythm: Rhythm = DEFAULT_RHYTHM,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._store = store
        self._blocked = False
        self._said: bool | None = None  # a process before this one may have said anything
        self._throttled: str | None = None
        self._clock = clock
        self.resolver = build_resolver(settings)
        self._identities = build_identities(settings)
        self._limits = {
            quality: VisitLimits.of(quality).scaled(settings.time_scale) for quality in QualityLevel
        }
        self.lists_watch = ListsWatch(settings.lists_dir)
        self._book = DomainBook(
            self.resolver, clock=clock, catch_all_ttl_s=settings.catch_all_ttl_s
        )
        self._canary = Canary(self.resolver, self._greets, settings.egress_canaries)
        gathering = Gathering(GATHER_S * settings.time_scale, self._free_sessions)
        self._desk = RouteDesk(
            self._visit,
            limits=PaceLimits(
                sessions=settings.route_sessions,
                recipients=settings.session_recipients,
                cool_off_s=COOL_OFF_S * settings.time_scale,
            ),
            max_sessions=settings.max_sessions,
            clock=clock,
            gathering=gathering,
        )
        self.breaker = Breaker(
            BreakerLimits(
                threshold=settings.egress_threshold, patience_s=settings.egress_patience_s
            ),
            clock=clock,
            canary=self._canary.sings,
            pause=self._pause,
            try_one=self._desk.try_one,
            release=self._release,
            say=self._say,
        )
        self._visits = Visits(
            dial=self._dial,
            read=_read,
            book=self._book,
            gate=Gate(HarvestGuard(settings.unknown_user_limit, clock=clock)),
            requeue=self._requeue,
            connected=self._connected,
            unreachable=self.breaker.failed,
            clock=clock,
        )
        self._pipeline = Pipeline(
            lists=lambda: self.lists_watch.lists,
            book=self._book,
            desk=self._desk,
            breaker=self.breaker,
            resolving=settings.resolving,
            gathering=gathering,
        )
        judge = Judge(suggest, build_weights(settings))
        self._answers = Answers(judge, encoder)
        self._recall = recall = Recall(wall_clock, max_memories=settings.remembered_answers)
        self.worker = Worker(
            store,
            self._pipeline,
            window_entries=settings.window_entries,
            schedule=RetrySchedule(scale=settings.retry_scale, rng=random.SystemRandom()),
            answers=self._answers,
            recall=recall,
            wall_clock=wall_clock,
            rhythm=rhythm,
        )
        self.realtime = Realtime(
            self._pipeline,
            answers=self._answers,
            judge=judge,
            recall=recall,
            rules_of=store.get_rules,
            clock=clock,
            wall_clock=wall_clock,
        )

    def start(self) -> None:
        """Start what runs beside the worker."""
        self._pipeline.start()

    async def close(self, sessions_grace_s: float = 0.0) -> None:
        """End look-ups, and sessions as politely as so many seconds allow."""
        await self._pipeline.close(sessions_grace_s)
        await self.resolver.close()

    def relieve(self, *, short: bool) -> None:
        """Take on nothing new while memory is short, and drop what is only remembered."""
        self.worker.held = short
        if short:
            self._answers.forget()
            self._book.forget()

    async def note_hindrance(self, kind: str, detail: str | None) -> None:
        """Have the store say what holds up all work, or with None that it does no more."""
        await self._store.note_hindrance(kind, detail)

    # What the parts above need of each other; each is one line on purpose.

    def _visit(self, route: Route, lot: Lot) -> Coroutine[Any, Any, None]:
        return self._visits(route, lot)

    def _free_sessions(self) -> int:
        return self._desk.free

    def _requeue(self, card: DomainCard, cases: Iterable[Case]) -> None:
        self._pipeline.requeue(card, cases)

    def _release(self, cases: Sequence[Case], ours: bool) -> None:
        self._pipeline.release(cases, ours)

    def _pause(self, paused: bool) -> None:
        self._desk.paused = paused
        if not paused:
            self._desk.resume()

    async def _say(self, blocked: bool) -> None:
        self._blocked = blocked
        with contextlib.suppress(Unavailable):  # the breaker must go on; `say_again` catches up
            await self.say_again()

    async def say_again(self) -> None:
        """Have the store say what holds up the work, should it not know yet."""
        blocked = self._blocked
        if blocked is not self._said:
            detail = DETAIL.format(port=self._settings.smtp_port) if blocked else None
            await self._store.note_hindrance(HINDRANCE, detail)
            self._said = blocked
        throttled = throttling(self._desk.cooling(), self._clock())
        if throttled != self._throttled:
            await self._store.note_hindrance(THROTTLED, throttled)
            self._throttled = throttled

    def forget(self, tenant: str, texts: Sequence[str]) -> None:
        """Forget what is remembered of these addresses."""
        for text in texts:
            address = parse(text)
            if isinstance(address, Address):
                self._recall.forget(tenant, address)
                continue
            domain = bare_domain(text)
            if domain is not None:
                self._recall.forget(tenant, nobody_at(domain))

    async def _greets(self, address: str) -> bool:
        return await greets(
            address,
            self._settings.smtp_port,
            timeout_s=self._limits[QualityLevel.STANDARD].connect_s,
            source_address=self._settings.source_address,
        )

    def _connected(self, address: str) -> None:
        self.breaker.succeeded()
        self._canary.remember(address)

    def _dial(
        self,
        route: str,
        exchangers: Sequence[Exchanger],
        envelopes: Sequence[Envelope],
        quality: QualityLevel,
        on_line: OnLine | None,
    ) -> Coroutine[Any, Any, Report]:
        return visit(
            exchangers,
            envelopes,
            identity=self._identities.for_route(route),
            port=self._settings.smtp_port,
            limits=self._limits[quality],
            on_line=on_line,
        )


def _read(reply: Reply, stage: Stage, operator: str) -> Reading:
    return meaning_of(reply, stage=stage, operator=operator)
