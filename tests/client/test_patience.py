"""Which failures are tried again, and for how long."""

import grpc
import pytest

from mailvet.client import ServiceError
from mailvet.client.patience import FIRST_WAIT_S, MAX_WAIT_S, Patience, retried
from tests.client.errors import failure


class Hours:
    """A clock that runs only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def patience(hours: Hours, seconds: float = 60.0, jitter: float = 1.0) -> Patience:
    """A patience whose waits are all as long as they can be."""
    return Patience(seconds, clock=lambda: hours.now, sleep=hours.sleep, jitter=lambda: jitter)


async def test_waits_double_up_to_a_limit_until_patience_ends() -> None:
    """Waits grow to the limit and together never exceed the patience."""
    hours = Hours()
    one = patience(hours, 60)

    async def never() -> None:
        raise failure(grpc.StatusCode.UNAVAILABLE)

    with pytest.raises(ServiceError):
        await retried(never, one)
    assert [FIRST_WAIT_S * 2**n for n in range(6)] == pytest.approx(hours.slept[:6])
    assert MAX_WAIT_S == max(hours.slept)
    assert 60 - MAX_WAIT_S < sum(hours.slept) <= 60


async def test_jitter_halves_a_wait_at_most() -> None:
    """Clients that failed together do not come back together."""
    hours = Hours()
    await patience(hours, jitter=0.0).wait_or_raise(failure(grpc.StatusCode.UNAVAILABLE))
    assert [FIRST_WAIT_S / 2] == hours.slept


async def test_retry_info_is_the_least_that_is_waited() -> None:
    """A server that asks for seven seconds gets seven seconds."""
    hours = Hours()
    await patience(hours).wait_or_raise(failure(grpc.StatusCode.UNAVAILABLE, retry_after_s=7))
    assert [7.0] == hours.slept


async def test_a_wait_beyond_the_patience_is_not_begun() -> None:
    """The error comes at once when the server asks for more than we would wait."""
    hours = Hours()
    with pytest.raises(ServiceError) as caught:
        await patience(hours, 5).wait_or_raise(
            failure(grpc.StatusCode.UNAVAILABLE, retry_after_s=6)
        )
    assert (6.0, []) == (caught.value.retry_after_s, hours.slept)


async def test_an_answer_in_between_sets_patience_back() -> None:
    """Only time without any answer counts."""
    hours = Hours()
    one = patience(hours, 1)
    for _ in range(50):
        await one.wait_or_raise(failure(grpc.StatusCode.UNAVAILABLE))
        one.progressed()
    assert 50 * FIRST_WAIT_S == pytest.approx(sum(hours.slept))


async def test_a_write_to_a_stream_that_just_ended_is_made_again() -> None:
    """grpc.aio calls it INTERNAL, without details; a server's own INTERNAL is none of it."""
    hours = Hours()
    cut = failure(grpc.StatusCode.INTERNAL, message="Internal error from Core")
    await patience(hours).wait_or_raise(cut)
    assert 1 == len(hours.slept)


@pytest.mark.parametrize(
    ("code", "retry_after_s", "waits"),
    [
        (grpc.StatusCode.UNAVAILABLE, None, True),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 1.0, True),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, None, False),
        (grpc.StatusCode.NOT_FOUND, 1.0, False),
        (grpc.StatusCode.INTERNAL, None, False),
        (grpc.StatusCode.DEADLINE_EXCEEDED, None, False),
    ],
)
async def test_only_what_may_pass_is_waited_for(
    code: grpc.StatusCode, retry_after_s: float | None, waits: bool
) -> None:
    """UNAVAILABLE may pass, RESOURCE_EXHAUSTED when the server says how long; nothing else."""
    hours = Hours()
    failures = [failure(code, retry_after_s=retry_after_s)]

    async def once() -> str:
        if failures:
            raise failures.pop()
        return "done"

    if waits:
        assert "done" == await retried(once, patience(hours))
    else:
        with pytest.raises(ServiceError):
            await retried(once, patience(hours))
    assert waits == bool(hours.slept)
