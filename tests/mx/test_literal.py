"""Routes of address literals."""

import pytest

from mailvet.model.route import MxOutcome
from mailvet.mx.literal import literal_route
from mailvet.mx.reserved import AddressGuard


@pytest.mark.parametrize(
    ("literal", "outcome", "addresses"),
    [
        ("[8.8.8.8]", MxOutcome.IMPLICIT, ("8.8.8.8",)),
        ("[IPv6:2606:4700::1111]", MxOutcome.IMPLICIT, ("2606:4700::1111",)),
        ("[ipv6:2606:4700::1111]", MxOutcome.IMPLICIT, ("2606:4700::1111",)),
        ("[127.0.0.1]", MxOutcome.UNROUTABLE, ()),
        ("[IPv6:::1]", MxOutcome.UNROUTABLE, ()),
        ("[IPv6:::ffff:127.0.0.1]", MxOutcome.UNROUTABLE, ()),
        ("[2606:4700::1111]", MxOutcome.NO_MAIL, ()),
        ("[127.1]", MxOutcome.NO_MAIL, ()),
        ("[x-tag:8.8.8.8]", MxOutcome.NO_MAIL, ()),
        ("[]", MxOutcome.NO_MAIL, ()),
    ],
)
def test_a_literal_is_its_own_exchanger(
    literal: str, outcome: MxOutcome, addresses: tuple[str, ...]
) -> None:
    """RFC 5321 4.1.3: an IP address in brackets, IPv6 tagged; reserved ones are never dialled."""
    answer = literal_route(literal, AddressGuard())
    assert outcome is answer.outcome
    assert addresses == tuple(a for one in answer.exchangers for a in one.addresses)
    assert answer.ttl_s > 0
