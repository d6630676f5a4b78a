"""The picture of the figures: an address by list, an entry by size, a result by frame."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot

from bench.bars import Kept, median
from bench.shapes import SHAPES

SERVICE, FLOOR = "tab:blue", "tab:gray"


def draw(kept: Kept, path: Path) -> None:
    """Draw what was measured into a PNG."""
    mpl.use("Agg")
    figure, (lists, sizes, frames) = pyplot.subplots(
        1, 3, figsize=(12, 3.4), layout="constrained", width_ratios=(1.2, 1, 1)
    )
    _draw_lists(lists, kept)
    _draw_sizes(sizes, kept)
    _draw_frames(frames, kept)
    for axes in (lists, sizes, frames):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _draw_lists(axes: Any, kept: Kept) -> None:
    found = {name: median(kept, f"verify_{name}_0ms") for name in SHAPES}
    medians = {name: figures for name, figures in found.items() if figures}
    _pair(axes, list(medians), "server_cpu_us", "floor_cpu_us", list(medians.values()))
    axes.set_title("CPU µs an address, whole list", fontsize=10)
    axes.set_yscale("log")
    axes.legend(["mailvet, all of it", "bare loop, dialogues only"], frameon=False, fontsize=8)


def _draw_frames(axes: Any, kept: Kept) -> None:
    streams = (median(kept, "wire") or {"streams": []})["streams"]
    sizes = [str(stream["per_frame"]) for stream in streams]
    _pair(axes, sizes, "results_per_s", "floor_per_s", streams)
    axes.set_title("results a second, by results a frame", fontsize=10)
    axes.set_yscale("log")
    axes.legend(["StreamResults", "one page again and again"], frameon=False, fontsize=8)


def _pair(
    axes: Any, names: Sequence[str], ours: str, floor: str, rows: Sequence[dict[str, Any]]
) -> None:
    for shift, key, colour in ((-0.2, ours, SERVICE), (0.2, floor, FLOOR)):
        places = [place + shift for place in range(len(names))]
        bars = axes.bar(places, [row[key] for row in rows], 0.38, color=colour)
        axes.bar_label(bars, labels=[_short(row[key]) for row in rows], fontsize=7)
    axes.set_xticks(range(len(names)), names)


def _draw_sizes(axes: Any, kept: Kept) -> None:
    names = sorted((name for name in kept if name.startswith("offline_")), key=len)
    rows = [kept[name]["median"] for name in names]
    axes.plot(
        [row["entries"] for row in rows],
        [row["server_cpu_us_per_entry"] for row in rows],
        marker="o",
        color=SERVICE,
    )
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_title("CPU µs an entry, by entries, without SMTP", fontsize=10)


def _short(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1e6:.1f}M"
    return f"{value / 1e3:.0f}k" if value >= 10_000 else f"{value:g}"
