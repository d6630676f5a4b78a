"""How mail hosts of the real world behave towards a stranger who asks about mailboxes.

Each class is one behaviour; its fields are the options a world may set. A host has one instance,
so state (greylists, counters) lives as long as the bed.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from enum import StrEnum

from mailvet.testbed.personalities.broken import Drops, Garbled, Silent, SlowBanner, Tarpit
from mailvet.testbed.personalities.limits import (
    Greylists,
    HangsUpOnSecond,
    MaxRecipients,
    OneDomain,
    OneRecipient,
    RateLimits,
)
from mailvet.testbed.personalities.plain import Plain
from mailvet.testbed.personalities.refusals import (
    BlocksAtBanner,
    BlocksAtRcpt,
    DefersAtBanner,
    InsistsOnTls,
    RefusesEhlo,
    RejectsHelo,
    RejectsSender,
    RelayDenied,
    ServerTrouble,
)
from mailvet.testbed.personalities.wordings import (
    Bare550,
    CatchAll,
    ExchangeOnline,
    Gmail,
    ManyLines,
    PolicyForStrangers,
    Yahoo,
)

PERSONALITIES: dict[str, type[Plain]] = {
    "plain": Plain,
    "bare_550": Bare550,
    "blocks_at_banner": BlocksAtBanner,
    "blocks_at_rcpt": BlocksAtRcpt,
    "catch_all": CatchAll,
    "defers_at_banner": DefersAtBanner,
    "drops": Drops,
    "exchange_online": ExchangeOnline,
    "garbled": Garbled,
    "gmail": Gmail,
    "greylists": Greylists,
    "hangs_up_on_second": HangsUpOnSecond,
    "insists_on_tls": InsistsOnTls,
    "many_lines": ManyLines,
    "max_recipients": MaxRecipients,
    "one_domain": OneDomain,
    "one_recipient": OneRecipient,
    "policy_for_strangers": PolicyForStrangers,
    "rate_limits": RateLimits,
    "refuses_ehlo": RefusesEhlo,
    "rejects_helo": RejectsHelo,
    "rejects_sender": RejectsSender,
    "relay_denied": RelayDenied,
    "server_trouble": ServerTrouble,
    "silent": Silent,
    "slow_banner": SlowBanner,
    "tarpit": Tarpit,
    "yahoo": Yahoo,
}
"""Every personality by the name a world uses."""

CLOSED = "closed"
"""The personality of a host whose port refuses connections; no class, since nothing listens."""


def make_personality(name: str, options: Mapping[str, object]) -> Plain:
    """A fresh personality; raises `ValueError` or `TypeError` for options it has not."""
    chosen = PERSONALITIES[name]
    defaults = {
        field.name: field.default for field in fields(chosen) if field.default is not MISSING
    }
    checked: dict[str, object] = {}
    for option, value in options.items():
        if option not in defaults:
            raise ValueError(f"{option!r} is no option of {name}; it has {', '.join(defaults)}")
        checked[option] = _as_kind(option, value, type(defaults[option]))
    make: Callable[..., Plain] = chosen
    return make(**checked)


def _as_kind(option: str, value: object, kind: type) -> object:
    if issubclass(kind, StrEnum):
        if value not in set(kind):
            raise ValueError(f"{option!r} must be one of {', '.join(kind)}, not {value!r}")
        return kind(str(value))
    if not isinstance(value, (int, float) if kind is float else kind):
        raise TypeError(f"{option!r} must be a {kind.__name__}, not {value!r}")
    return value
