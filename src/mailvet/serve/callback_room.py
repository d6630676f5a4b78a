"""What calls back to callers, with everything it needs, from the settings."""

import ssl
import time
from collections.abc import Callable, Sequence
from functools import partial

from mailvet.callbacks.post import post
from mailvet.callbacks.sender import Sender
from mailvet.callbacks.url import UrlRules
from mailvet.config import Settings
from mailvet.errors import ConfigError
from mailvet.mx import AddressGuard, DnsTransport, PlainAsk, Resolver, nameservers_from
from mailvet.store.base import Store


def url_rules(settings: Settings) -> UrlRules:
    """Return which URLs may be called."""
    return UrlRules(http=settings.callback_http, ports=frozenset(settings.callback_ports))


def trusted(settings: Settings) -> ssl.SSLContext:
    """Return whom calls trust: the system's authorities and the operator's; `ConfigError`."""
    context = ssl.create_default_context()
    if settings.callback_ca is not None:
        try:
            context.load_verify_locations(settings.callback_ca)
        except OSError as error:  # also what is no certificate
            raise ConfigError(f"callback_ca {settings.callback_ca}: {error.strerror}") from None
    return context


class CallbackRoom:
    """Calls callers whose batches ended, while it runs."""

    def __init__(
        self, settings: Settings, store: Store, *, wall_clock: Callable[[], float] = time.time
    ) -> None:
        try:
            guard = AddressGuard(settings.callback_allow_network)
        except ValueError as error:
            raise ConfigError(f"callback_allow_network: {error}") from None
        ask = PlainAsk(
            DnsTransport(nameservers_from(settings.resolver), timeout_s=settings.dns_timeout_s)
        )
        self._guard = guard
        self._resolver = Resolver(ask, guard, begin=ask.begin, ipv6=settings.ipv6)
        self.sender = Sender(
            store,
            secret=store.secret,
            rules=url_rules(settings),
            addresses=self._addresses,
            post=partial(post, tls=trusted(settings)),
            wall_clock=wall_clock,
        )

    async def _addresses(self, host: str) -> Sequence[str]:
        if ":" in host or host.rpartition(".")[2].isdigit():
            return (host,) if self._guard.may_dial(host) else ()
        return await self._resolver.host_addresses(host)

    async def close(self) -> None:
        """End look-ups."""
        await self._resolver.close()
