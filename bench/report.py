"""The page of the figures: tables and a picture in `bench/README.md`, from `bench/results`.

python -m bench.report
"""

import json
from pathlib import Path
from typing import Any

from bench.bars import REFERENCE_LOOP_S, Bar, Kept, bars, ceiling, law, median
from bench.picture import draw
from bench.run import RESULTS
from bench.shapes import SHAPES

PAGE = Path(__file__).parent / "README.md"
PICTURE = RESULTS / "cost.png"
BEGIN, END = "<!-- figures: written by bench.report -->", "<!-- end of figures -->"


def load() -> Kept:
    """Return what was kept of each bench, by its name."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in RESULTS.glob("*.json")}


def table(heads: list[str], rows: list[list[object]]) -> list[str]:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(map(str, line))} |" for line in lines] + [""]


def demands(kept: Kept) -> list[str]:
    """Every bar, with what was measured beside it."""
    rows: list[list[object]] = []
    for bar in bars(kept):
        demand = f"{'at most' if bar.at_most else 'at least'} {_number(bar.demand)} {bar.unit}"
        compared = "" if bar.slowness == 1 else _number(bar.compared)
        verdict = "yes" if bar.is_reached else f"no, {_missing(bar)}"
        rows.append([bar.name, demand.strip(), _number(bar.measured), compared, verdict])
    heads = ["", "bar", "measured", "as on the bar's machine", "reached"]
    return table(heads, rows)


def _missing(bar: Bar) -> str:
    share = bar.demand / bar.compared if bar.at_most else bar.compared / bar.demand
    return f"{share:.2f} of it"


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def verification(kept: Kept) -> list[str]:
    """The lists: whole service, and the bare loop in the same run."""
    rows = [
        _list_row(kept, name, delay, figures)
        for name in SHAPES
        for delay in (0, 20)
        if (figures := median(kept, f"verify_{name}_{delay}ms"))
    ]
    if figures := median(kept, "verify_middle_2processes"):
        row = _list_row(kept, "middle", 0, figures)
        rows.append([f"{row[0]}, two probing processes", *row[1:]])
    for name in ("middle", "tail"):
        if figures := median(kept, f"verify_{name}_plain"):
            row = _list_row(kept, name, 0, figures)
            rows.append([f"{row[0]}, not compiled", *row[1:]])
    heads = ["list, round trip", "addresses", "a second", "latency allows", "of what is possible"]
    heads += ["server CPU µs", "a core and second", "bare loop CPU µs", "of it"]
    heads += ["prototype CPU µs", "of it"]
    heads += ["recipients a session", "DNS queries an address", "peak MiB"]
    return table(heads, rows)


def _list_row(kept: Kept, name: str, delay: int, figures: dict[str, Any]) -> list[object]:
    most = ceiling(kept, name, delay) if delay else None
    rate, cpu = figures["addresses_per_s"], figures["server_cpu_us"]
    floor, prototype = figures.get("floor_cpu_us"), figures.get("prototype_cpu_us")
    return [
        f"{name}, {delay} ms",
        f"{figures['entries']:,}",
        f"{rate:,.0f}",
        f"{law(name, delay, figures):,.0f}" if delay else "",
        f"{rate / most:.2f}" if most else "",
        cpu,
        f"{1e6 / cpu:,.0f}",
        floor or "",
        f"{floor / cpu:.2f}" if floor else "",
        prototype or "",
        f"{prototype / cpu:.2f}" if prototype else "",
        figures["recipients_per_session"],
        figures["dns_queries_per_address"],
        figures["peak_mib"],
    ]


def offline(kept: Kept) -> list[str]:
    """What is decided without SMTP, by size."""
    rows: list[list[object]] = []
    base = median(kept, "offline_10000")
    for name in sorted((name for name in kept if name.startswith("offline_")), key=len):
        figures = kept[name]["median"]
        parts = [f"{figures[part]:.2f}" for part in ("upload_s", "answer_and_stream_s")]
        cost = figures["server_cpu_us_per_entry"]
        against = f"{cost / base['server_cpu_us_per_entry']:.2f}" if base else ""
        rows.append([f"{figures['entries']:,}", *parts, cost, against, figures["server_peak_mib"]])
    heads = ["entries", "upload s", "answer and stream s", "server CPU µs an entry"]
    return table([*heads, "against 10,000", "peak MiB"], rows)


def wire(kept: Kept) -> list[str]:
    """Upload and streams."""
    figures = median(kept, "wire")
    if figures is None:
        return []
    rows: list[list[object]] = [
        [
            stream["per_frame"],
            f"{stream['results_per_s']:,.0f}",
            f"{stream['floor_per_s']:,.0f}",
            stream["of_floor"],
            stream["server_cpu_us"],
            stream["floor_cpu_us"],
        ]
        for stream in figures["streams"]
    ]
    upload = f"Durable upload: {figures['upload_per_s']:,.0f} entries acked a second,"
    heads = ["results a frame", "results a second", "fixed page", "of it"]
    return [
        f"{upload} {figures['upload_cpu_us']} µs of server CPU each.",
        "",
        "Results streamed to a raw reader, beside a bare grpc.aio server that sends one page:",
        "",
        *table([*heads, "server CPU µs a result", "fixed page CPU µs"], rows),
    ]


def unary(kept: Kept) -> list[str]:
    """VerifyEmail of an address that is remembered."""
    figures = median(kept, "unary")
    if figures is None:
        return []
    rows: list[list[object]] = [
        [
            row["callers"],
            f"{row['verify_email_per_s']:,.0f}",
            f"{row['verify_email_p50_ms']:.2f} / {row['verify_email_p99_ms']:.2f}",
            row["verify_email_cpu_us"],
            f"{row['floor_per_s']:,.0f}",
            f"{row['floor_p50_ms']:.2f} / {row['floor_p99_ms']:.2f}",
            row["floor_cpu_us"],
            row["p99_of_floor"],
        ]
        for row in figures["callers"]
    ]
    heads = ["callers", "VerifyEmail a second", "p50 / p99 ms", "server CPU µs"]
    heads += ["bare echo a second", "p50 / p99 ms", "echo CPU µs", "p99 against it"]
    return ["VerifyEmail of a remembered address:", "", *table(heads, rows)]


def figures_of(kept: Kept) -> list[str]:
    """Return the lines between the marks."""
    where = next(iter(kept.values()))["machine"]
    told = ", ".join(f"{name} {value}" for name, value in where.items())
    runs = max(len(each["runs"]) for each in kept.values())
    return [
        BEGIN,
        "",
        f"Medians of {runs}; measured on: {told}. The bars were set where the reference",
        f"loop takes {REFERENCE_LOOP_S} s; times and rates are compared by the ratio of the two.",
        "",
        *demands(kept),
        f"![What it costs, by list, by size, by frame]({PICTURE.parent.name}/{PICTURE.name})",
        "",
        "Whole lists:",
        "",
        *verification(kept),
        "Decided without SMTP:",
        "",
        *offline(kept),
        *wire(kept),
        *unary(kept),
        END,
    ]


def main() -> None:
    """Write the page."""
    kept = load()
    draw(kept, PICTURE)
    page = PAGE.read_text("utf-8")
    head, rest = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(head + "\n".join(figures_of(kept)) + rest, "utf-8")


if __name__ == "__main__":
    main()
