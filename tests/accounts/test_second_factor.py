"""One-time codes: right ones once, wrong ones not often."""

from collections.abc import Callable

import pyotp
import pytest

from mailvet.accounts.key_table import KeyTable
from mailvet.accounts.second_factor import STEP_S, TRIES, TRY_AGAIN_S, SecondFactor
from mailvet.errors import NotFound, PermissionDenied, QuotaExceeded, SecondFactorNeeded
from mailvet.store.memory import MemoryStore
from tests.accounts.world import Clock, made

Code = Callable[[int], str]


async def begun(clock: Clock) -> tuple[SecondFactor, str, Code]:
    """A second factor that is not proven, its key, and the code so many steps from now."""
    store = MemoryStore(clock=clock)
    _, key = made()
    await store.add_key(key)
    factor = SecondFactor(store, KeyTable(store, clock), clock=clock, wall_clock=clock)
    secret, uri = await factor.begin(key.key_id)
    assert pyotp.parse_uri(uri).secret == secret
    return factor, key.key_id, lambda steps: pyotp.TOTP(secret).at(int(clock.now) + STEP_S * steps)


async def proven(clock: Clock) -> tuple[SecondFactor, str, Code]:
    """As `begun`, and proven a while ago."""
    factor, key_id, code = await begun(clock)
    await factor.prove(key_id, code(0))
    clock.now += 10 * TRY_AGAIN_S
    return factor, key_id, code


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238 appendix B, cut to six digits: what every app shows."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    times = {59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"}
    assert times == {time: pyotp.TOTP(secret).at(time) for time in times}


async def test_without_a_second_factor_nothing_is_asked_for() -> None:
    """Nor while it is not proven."""
    factor, key_id, _ = await begun(Clock())
    await factor.require(key_id, "")
    await factor.require("missing", "")


async def test_once_proven_a_code_is_asked_for() -> None:
    """A right one is enough."""
    factor, key_id, code = await proven(Clock())
    with pytest.raises(SecondFactorNeeded, match="send a fresh totp_code"):
        await factor.require(key_id, "")
    await factor.require(key_id, code(0))


@pytest.mark.parametrize(
    ("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
async def test_clocks_may_differ_by_a_step(steps: int, right: bool) -> None:
    """Not by two."""
    factor, key_id, code = await proven(Clock())
    try:
        await factor.require(key_id, code(steps))
    except SecondFactorNeeded:
        assert not right
    else:
        assert right


async def test_a_code_counts_once() -> None:
    """Neither it nor the one before it is taken afterwards; the one that proved it neither."""
    clock = Clock()
    factor, key_id, code = await proven(clock)
    await factor.require(key_id, code(0))
    for steps in (0, -1):
        with pytest.raises(SecondFactorNeeded):
            await factor.require(key_id, code(steps))
    clock.now += STEP_S
    await factor.require(key_id, code(0))

    factor, key_id, code = await begun(clock)
    await factor.prove(key_id, code(0))
    with pytest.raises(SecondFactorNeeded):
        await factor.require(key_id, code(0))


@pytest.mark.parametrize(
    "wrong", ["000000", "12345", "1234567", "abcdef", "١٢٣٤٥٦", " ", "x" * 9999]
)
async def test_a_wrong_code_is_refused(wrong: str) -> None:
    """Of any form."""
    factor, key_id, code = await proven(Clock())
    if wrong not in {code(steps) for steps in (-1, 0, 1)}:
        with pytest.raises(SecondFactorNeeded):
            await factor.require(key_id, wrong)


async def test_codes_cannot_be_guessed() -> None:
    """After some tries even the right one has to wait, as long as it is told."""
    clock = Clock()
    factor, key_id, code = await proven(clock)
    for _ in range(TRIES):
        with pytest.raises(SecondFactorNeeded):
            await factor.require(key_id, "wrong")
    with pytest.raises(QuotaExceeded) as caught:
        await factor.require(key_id, code(0))

    assert caught.value.retry_after_s == TRY_AGAIN_S
    clock.now += TRY_AGAIN_S
    await factor.require(key_id, code(0))


async def test_it_is_begun_anew_until_it_is_proven() -> None:
    """Then neither begun nor proven again."""
    clock = Clock()
    factor, key_id, old_code = await begun(clock)
    secret, _ = await factor.begin(key_id)
    new = pyotp.TOTP(secret)
    if old_code(0) not in {new.at(int(clock.now) + STEP_S * steps) for steps in (-1, 0, 1)}:
        with pytest.raises(SecondFactorNeeded):
            await factor.prove(key_id, old_code(0))
    await factor.prove(key_id, new.at(int(clock.now)))

    with pytest.raises(PermissionDenied):
        await factor.begin(key_id)
    with pytest.raises(NotFound):
        await factor.prove(key_id, "000000")
