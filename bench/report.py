"""The page of the figures: a table and a picture in `bench/README.md`, from `bench/results`.

python -m bench.report
"""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot

from bench.run import RESULTS

PAGE = Path(__file__).parent / "README.md"
PICTURE = Path(__file__).parent / "results" / "cost.png"
BEGIN, END = "<!-- figures: written by bench.report -->", "<!-- end of figures -->"
LISTS = ("dense", "middle", "tail")


def load() -> dict[str, dict[str, Any]]:
    """Return what was kept of each bench, by its name."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in RESULTS.glob("*.json")}


def table(heads: list[str], rows: list[list[object]]) -> list[str]:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(map(str, line))} |" for line in lines] + [""]


def verification(kept: dict[str, dict[str, Any]]) -> list[str]:
    """The lists: whole service, and the bare loop in the same run."""
    rows: list[list[object]] = []
    for name in LISTS:
        for delay in (0, 20):
            if found := kept.get(f"verify_{name}_{delay}ms"):
                figures = found["median"]
                rows.append(
                    [
                        f"{name}, {delay} ms",
                        f"{figures['entries']:,}",
                        f"{figures['addresses_per_s']:,.0f}",
                        figures["server_cpu_us"],
                        f"{1e6 / figures['server_cpu_us']:,.0f}",
                        figures.get("floor_cpu_us", ""),
                        figures["recipients_per_session"],
                        figures["dns_queries_per_address"],
                        figures["peak_mib"],
                    ]
                )
    heads = ["list, round trip", "addresses", "a second", "server CPU µs", "a core and second"]
    heads += ["bare loop CPU µs", "recipients a session", "DNS queries an address", "peak MiB"]
    return table(heads, rows)


def offline(kept: dict[str, dict[str, Any]]) -> list[str]:
    """What is decided without SMTP, by size."""
    rows: list[list[object]] = []
    for name in sorted((name for name in kept if name.startswith("offline_")), key=len):
        figures = kept[name]["median"]
        parts = [f"{figures[part]:.2f}" for part in ("upload_s", "answer_s", "stream_s")]
        cost = figures["server_cpu_us_per_entry"]
        rows.append([f"{figures['entries']:,}", *parts, cost, figures["server_peak_mib"]])
    heads = ["entries", "upload s", "answer s", "stream s", "server CPU µs an entry", "peak MiB"]
    return table(heads, rows)


def wire(kept: dict[str, dict[str, Any]]) -> list[str]:
    """Upload and streams."""
    if "wire" not in kept:
        return []
    figures = kept["wire"]["median"]
    rows: list[list[object]] = [
        [
            stream["per_frame"],
            f"{stream['results_per_s']:,.0f}",
            stream["server_cpu_us"],
            f"{stream['floor_per_s']:,.0f}",
            stream["of_floor"],
        ]
        for stream in figures["streams"]
    ]
    upload = f"Durable upload: {figures['upload_per_s']:,.0f} entries acked a second,"
    heads = ["results a frame", "results a second", "server CPU µs a result", "fixed page"]
    return [
        f"{upload} {figures['upload_cpu_us']} µs of server CPU each.",
        "",
        *table([*heads, "of it"], rows),
    ]


def unary(kept: dict[str, dict[str, Any]]) -> list[str]:
    """VerifyEmail of an address that is remembered."""
    if "unary" not in kept:
        return []
    rows: list[list[object]] = [
        [
            row["callers"],
            f"{row['verify_email_per_s']:,.0f}",
            f"{row['verify_email_p50_ms']:.2f} / {row['verify_email_p99_ms']:.2f}",
            f"{row['floor_per_s']:,.0f}",
            f"{row['floor_p50_ms']:.2f} / {row['floor_p99_ms']:.2f}",
        ]
        for row in kept["unary"]["median"]["callers"]
    ]
    heads = ["callers", "VerifyEmail a second", "p50 / p99 ms", "bare echo a second"]
    return ["VerifyEmail of a remembered address:", "", *table([*heads, "p50 / p99 ms"], rows)]


def draw(kept: dict[str, dict[str, Any]]) -> None:
    """The picture: processor time of an address, by list, beside the bare loop."""
    mpl.use("Agg")
    names = [name for name in LISTS if f"verify_{name}_0ms" in kept]
    medians = [kept[f"verify_{name}_0ms"]["median"] for name in names]
    figure, axes = pyplot.subplots(figsize=(7, 3.2), layout="constrained")
    places = range(len(names))
    service = [each["server_cpu_us"] for each in medians]
    floor = [each["floor_cpu_us"] for each in medians]
    axes.bar([place - 0.2 for place in places], service, 0.38, label="mailvet, all of it")
    axes.bar([place + 0.2 for place in places], floor, 0.38, label="bare loop, dialogues only")
    for place, value in [(p - 0.2, v) for p, v in zip(places, service, strict=True)]:
        axes.annotate(f"{value:g}", (place, value), ha="center", va="bottom")
    for place, value in [(p + 0.2, v) for p, v in zip(places, floor, strict=True)]:
        axes.annotate(f"{value:g}", (place, value), ha="center", va="bottom")
    axes.set_xticks(list(places), names)
    axes.set_yscale("log")
    axes.set_ylabel("CPU µs an address (log)")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(PICTURE, dpi=120)


def main() -> None:
    """Write the page."""
    kept = load()
    draw(kept)
    where = next(iter(kept.values()))["machine"]
    told = ", ".join(f"{name} {value}" for name, value in where.items())
    lines = [BEGIN, "", f"Medians; measured on: {told}.", "", *verification(kept)]
    lines += ["![CPU time of an address, by list](results/cost.png)", "", *wire(kept)]
    lines += unary(kept)
    lines += ["Decided without SMTP:", "", *offline(kept), END]
    page = PAGE.read_text("utf-8")
    head, rest = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(head + "\n".join(lines) + rest, "utf-8")


if __name__ == "__main__":
    main()
