"""Where mail for an address literal such as `[192.0.2.1]` goes: to that address, if it may."""

from mailvet.model.route import Exchanger, MxAnswer, MxOutcome
from mailvet.mx.reserved import NOT_AN_ADDRESS, AddressGuard

LITERAL_TTL_S = 3600.0
"""The answer never changes; an hour only lets it be dropped like any other."""

_IPV6_TAG = "ipv6:"


def literal_route(literal: str, guard: AddressGuard) -> MxAnswer:
    """Return the route of a literal domain, brackets included (RFC 5321 4.1.3, 5.1).

    The literal is its own exchanger (IMPLICIT). UNROUTABLE when the address may not be dialled,
    NO_MAIL when there is no IP address in the brackets.
    """
    address = _address(literal)
    refusal = guard.refusal(address)
    if refusal is NOT_AN_ADDRESS:
        return MxAnswer(outcome=MxOutcome.NO_MAIL, ttl_s=LITERAL_TTL_S)
    if refusal is not None:
        return MxAnswer(outcome=MxOutcome.UNROUTABLE, hosts=(literal,), ttl_s=LITERAL_TTL_S)
    exchanger = Exchanger(host=literal, preference=0, addresses=(address,))
    return MxAnswer(
        outcome=MxOutcome.IMPLICIT,
        exchangers=(exchanger,),
        hosts=(literal,),
        ttl_s=LITERAL_TTL_S,
    )


def _address(literal: str) -> str:
    """What stands in the brackets; only IPv6 is tagged, and must be."""
    inner = literal.removeprefix("[").removesuffix("]")
    if inner.lower().startswith(_IPV6_TAG):
        return inner[len(_IPV6_TAG) :]
    return inner if ":" not in inner else ""
