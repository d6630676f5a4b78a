"""A sick network between the engine and a mail host: answers suffer, addresses are not blamed."""

import asyncio
import time
from pathlib import Path

import pytest

from mailvet.client import connect
from mailvet.model.status import Classification, EntryStatus, classification_of
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from tests.faults.proxy import Proxy, Toxics
from tests.faults.rig import service_before, task_count, verify

BEHIND, FRONT = "127.0.92.1", "127.0.92.2"
WORLD = f"""
name = "network"

[[host]]
name = "mx.behind.test"
addresses = ["{BEHIND}"]
domains = ["behind.test"]
mailboxes = {{ users = 40 }}

[[host]]
name = "mx.near.test"
addresses = ["127.0.92.3"]
domains = ["near{{0..9}}.test"]
mailboxes = {{ users = 40 }}

[[zone]]
domain = "behind.test"
mx = ["10 mx.front.test"]

[[zone]]
domain = "mx.front.test"
a = ["{FRONT}"]
"""
FAR = [f"user{n}@behind.test" for n in range(30)]
NEAR = [f"user{n % 40}@near{n // 40}.test" for n in range(400)]
GOOD = {EntryStatus.SUCCESS}
CUT = {
    EntryStatus.SMTP_CONNECTION_FAILURE,
    EntryStatus.SMTP_CONNECTION_TIMEOUT,
    EntryStatus.SMTP_DIALOG_ERROR,
    EntryStatus.MAILBOX_VALIDATION_TIMEOUT,
}


@pytest.mark.parametrize(
    ("toxics", "right"),
    [
        pytest.param(Toxics(latency_s=0.02), GOOD, id="latency"),
        pytest.param(
            Toxics(slice_bytes=3, slice_gap_s=0.0005), GOOD, id="slicer", marks=pytest.mark.slow
        ),
        pytest.param(Toxics(close_delay_s=0.5), GOOD, id="slow_close", marks=pytest.mark.slow),
        pytest.param(Toxics(limit_bytes=0), CUT, id="hangs up at once", marks=pytest.mark.slow),
        pytest.param(Toxics(limit_bytes=60), CUT, id="limit_data", marks=pytest.mark.slow),
        pytest.param(Toxics(limit_bytes=60, reset=True), CUT, id="reset_peer"),
        pytest.param(Toxics(swallow=True), CUT, id="timeout"),
    ],
)
async def test_a_sick_network_is_not_the_mailbox(
    toxics: Toxics, right: set[EntryStatus], tmp_path: Path
) -> None:
    """Late and sliced answers count, missing ones are UNKNOWN; other hosts are not held up, and
    once the network is well the same addresses are answered."""
    async with (
        Testbed(parse_world(WORLD)) as bed,
        Proxy((BEHIND, bed.smtp_port), listen=(FRONT, bed.smtp_port), toxics=toxics) as proxy,
        service_before(bed, tmp_path) as service,
        connect(service.address) as client,
    ):
        before = await task_count()
        far = asyncio.ensure_future(verify(client, "far", FAR))
        began = time.monotonic()
        near = await verify(client, "near", NEAR)
        took_s = time.monotonic() - began
        found = set(await far)
        assert GOOD == set(near)
        assert took_s < 5
        assert found <= right
        assert Classification.UNDELIVERABLE not in map(classification_of, found)
        proxy.toxics = Toxics()
        assert GOOD == set(await verify(client, "well", FAR))
        proxy.reset_all()  # it holds what it swallowed: its tasks are not the service's
        assert await task_count(before * 1.05) <= before * 1.05
