"""What the figures are held to, and how near they come.

The bars were set on a machine whose reference loop (`bench.run`) takes `REFERENCE_LOOP_S`. Times
and rates of another machine are shown as measured and, for the comparison, multiplied by how much
slower or faster its loop is; ratios and memory are taken as they are.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from bench.shapes import SHAPES
from bench.verify import SETTINGS

REFERENCE_LOOP_S = 0.66

Kept = dict[str, dict[str, Any]]
"""What `bench.run` kept, by bench."""

ROUND_TRIPS = 4
"""Of a session with pipelining: connect, banner, EHLO, and the rest in one."""
DNS_ROUND_TRIPS = 2
"""MX and A, of a domain that was not asked about before."""


class Bar(NamedTuple):
    """One demand and what was measured."""

    name: str
    demand: float
    measured: float
    unit: str = ""
    at_most: bool = False
    """Whether more is worse."""
    slowness: float = 1.0
    """How much longer this machine takes than the one the demand was set on; 1 for ratios."""

    @property
    def compared(self) -> float:
        """The measured value as it would be on the machine of the demand."""
        return self.measured / self.slowness if self.at_most else self.measured * self.slowness

    @property
    def is_reached(self) -> bool:
        """Whether the demand is met."""
        return self.compared <= self.demand if self.at_most else self.compared >= self.demand


def slowness(kept: Kept, bench: str) -> float:
    """How much longer than the reference the machine took for its loop while a bench ran."""
    seconds: float = kept[bench]["median"].get("reference_loop_s", REFERENCE_LOOP_S)
    return seconds / REFERENCE_LOOP_S


def median(kept: Kept, bench: str) -> dict[str, Any] | None:
    """The medians of a bench, None when it was not run."""
    return kept[bench]["median"] if bench in kept else None


def bars(kept: Kept) -> list[Bar]:
    """Return every bar whose bench was run."""
    return [
        *_lists(kept),
        *_delays(kept),
        *_cores(kept),
        *_offline(kept),
        *_wire(kept),
        *_unary(kept),
    ]


def _lists(kept: Kept) -> Iterator[Bar]:
    for name, rate, share in (("dense", 25_000, 0), ("middle", 20_000, 0.4), ("tail", 4_500, 0.5)):
        bench = f"verify_{name}_0ms"
        if found := median(kept, bench):
            per_core = 1e6 / found["server_cpu_us"]
            slow = slowness(kept, bench)
            yield Bar(f"{name}: addresses a core and second", rate, per_core, slowness=slow)
            if share and "prototype_cpu_us" in found:
                part = found["prototype_cpu_us"] / found["server_cpu_us"]
                yield Bar(f"{name}: of the prototype, by CPU time", share, part)


def law(name: str, delay_ms: float, figures: dict[str, Any]) -> float:
    """Addresses a second that latency allows: sessions x recipients / (RTT x round trips)."""
    shape = SHAPES[name]
    sessions = min(
        int(SETTINGS["max_sessions"]), shape.exchangers * int(SETTINGS["route_sessions"])
    )
    trips = ROUND_TRIPS + (DNS_ROUND_TRIPS if figures["dns_queries_per_address"] >= 1 else 0)
    tried = 1 + min(shape.domains, figures["entries"]) / figures["entries"]
    recipients: float = figures["recipients_per_session"]
    return sessions * recipients / tried / (delay_ms / 1000 * trips)


def ceiling(kept: Kept, name: str, delay_ms: int) -> float | None:
    """The most that a list could do with a delay: what latency allows, and what it did without."""
    with_delay = median(kept, f"verify_{name}_{delay_ms}ms")
    without = median(kept, f"verify_{name}_0ms")
    if with_delay is None or without is None:
        return None
    return min(law(name, delay_ms, with_delay), without["addresses_per_s"])


def _delays(kept: Kept) -> Iterator[Bar]:
    for name in SHAPES:
        most = ceiling(kept, name, 20)
        if most is not None:
            share = kept[f"verify_{name}_20ms"]["median"]["addresses_per_s"] / most
            yield Bar(f"{name}, 20 ms: of what latency allows, or of the rate at 0 ms", 0.7, share)


def _cores(kept: Kept) -> Iterator[Bar]:
    one, two = median(kept, "verify_middle_0ms"), median(kept, "verify_middle_2processes")
    if one and two:
        growth = two["server_cpu_us"] / one["server_cpu_us"]
        name = "middle, two probing processes: CPU time of an address against one process"
        yield Bar(name, 1.1, growth, at_most=True)


def _offline(kept: Kept) -> Iterator[Bar]:
    if million := median(kept, "offline_1000000"):
        seconds = sum(million[part] for part in ("upload_s", "answer_and_stream_s"))
        slow = slowness(kept, "offline_1000000")
        name = f"{million['entries']:,} entries decided without SMTP, all of it"
        most = 12.5 * million["entries"] / 1_000_000
        yield Bar(name, most, seconds, "s", at_most=True, slowness=slow)
        yield Bar("its peak memory", 400, million["server_peak_mib"], "MiB", at_most=True)
        if ten := median(kept, "offline_10000"):
            growth = million["server_cpu_us_per_entry"] / ten["server_cpu_us_per_entry"]
            name = "cost of an entry against that of 10,000 entries"
            yield Bar(name, 1.15, growth, at_most=True)


def _wire(kept: Kept) -> Iterator[Bar]:
    if found := median(kept, "wire"):
        slow = slowness(kept, "wire")
        yield Bar("upload: entries acked a second", 100_000, found["upload_per_s"], slowness=slow)
        for stream in found["streams"]:
            if stream["per_frame"] == 256:
                name = "256 results a frame"
                yield Bar(f"{name}: a second", 500_000, stream["results_per_s"], slowness=slow)
                yield Bar(f"{name}: of the fixed page", 0.5, stream["of_floor"])


def _unary(kept: Kept) -> Iterator[Bar]:
    if found := median(kept, "unary"):
        slow = slowness(kept, "unary")
        for row in found["callers"]:
            if most := {1: 1.5, 64: 30.0}.get(row["callers"]):
                name = f"VerifyEmail, remembered, {row['callers']:g} at once: p99"
                p99 = row["verify_email_p99_ms"]
                yield Bar(name, most, p99, "ms", at_most=True, slowness=slow)
