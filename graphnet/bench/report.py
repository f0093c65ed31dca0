"""The table as text, and its place on a page."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import torch

from graphnet.bench.turns import TOLERANCE, Measured
from graphnet.bench.worker import Entry
from graphnet.version import __version__

BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def row(measured: Measured, names: Sequence[str]) -> dict[str, str]:
    """One network: times, then ratios, shares and parameters, by the headings of their columns."""
    seconds = measured.seconds
    times = {f"{n}, µs": f"{seconds[n] * 1e6:,.0f}" if n in seconds else "—" for n in names}
    best = next(iter(measured.peers), "")
    ours = "program" if "program" in seconds else ""
    far = f"{max(measured.distances.values()):.0e}"
    differ = f": {', '.join(measured.wrong)} differ" if measured.wrong else ""
    named = f" ({best})" if ours and best else ""
    return {
        "network": measured.network.title,
        **times,
        "program / torch.nn": _ratio(seconds, ours, "torch.nn"),
        "program / best peer": _ratio(seconds, ours, best) + named,
        "many / JAX scan": _ratio(seconds, "many", "JAX scan"),
        "program's share of the limit": f"{measured.share(ours):.0%}" if ours else "—",
        "best peer's share": f"{measured.share(best):.0%}" if best else "—",
        "distance of parameters": far + differ,
    }


def _ratio(seconds: Mapping[str, float], ours: str, theirs: str) -> str:
    if ours not in seconds or theirs not in seconds:
        return "—"
    return f"{seconds[ours] / seconds[theirs]:.2f}"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, whose first row is the heading; columns are as wide as necessary.

    >>> print(markdown([["network", "µs"], ["disk", "41"]]))
    | network |  µs |
    |:--------|----:|
    | disk    |  41 |
    """
    widths = [max(3, *(len(each[place]) for each in rows)) for place in range(len(rows[0]))]
    lines = [
        "| "
        + " | ".join(
            text.ljust(width) if place == 0 else text.rjust(width)
            for place, (text, width) in enumerate(zip(each, widths, strict=True))
        )
        + " |"
        for each in rows
    ]
    rule = [":" + "-" * (widths[0] + 1), *("-" * (width + 1) + ":" for width in widths[1:])]
    return "\n".join([lines[0], "|" + "|".join(rule) + "|", *lines[1:]])


def table(results: Sequence[Measured], names: Sequence[str]) -> str:
    """The table of all networks on a number of threads, with notes."""
    threads = results[0].threads
    rows = [row(each, names) for each in results]
    cells = [list(rows[0]), *(list(each.values()) for each in rows)]
    speeds = [each.limit / 1e9 for each in results]
    title = f"### {threads} thread{'s' if threads > 1 else ''}"
    limit = (
        f"The limit, measured in the same turns: {min(speeds):,.0f} to {max(speeds):,.0f} "
        f"billion operations per second ({results[0].limit_note})."
    )
    return "\n\n".join([title, markdown(cells), limit, *notes(results, names)])


def notes(results: Sequence[Measured], names: Sequence[str]) -> list[str]:
    """Which form of each contestant was the fastest, and which did not take part."""
    lines = []
    for name in names:
        entries = [(each.network.name, each.entries.get(name, Entry())) for each in results]
        text = ", ".join(f"{network}: {_said(entry)}" for network, entry in entries if _said(entry))
        lines += [f"- {name}: {text}."] if text else []
    return ["The fastest form of each:\n\n" + "\n".join(lines)] if lines else []


def _said(entry: Entry) -> str:
    return f"missing ({entry.missing})" if entry.missing else entry.note


def cost_lines(costs: Mapping[str, float], dense: str, images: str) -> str:
    """Memory and compile time."""
    ours, theirs = costs["memory of the program"], costs["memory of torch.nn"]
    return (
        "### Memory and compile time\n\n"
        f"- Peak memory that training {dense} adds to that after the import: the program "
        f"{ours / 1e6:.0f} MB, torch.nn {theirs / 1e6:.0f} MB, ratio {ours / theirs:.2f}.\n"
        f"- Compiling the step of {images}: {costs['compiling, not tuned']:.2f} s without "
        f"tuning, {costs['compiling, tuned']:.2f} s with it."
    )


def circumstances(results: Sequence[Measured]) -> str:
    """Date, machine and versions."""
    versions = [f"Python {platform.python_version()}", f"graphnet {__version__}"]
    versions.append(f"torch {torch.__version__}")
    others = {entry.version for each in results for entry in each.entries.values()}
    return (
        f"{date.today().isoformat()}, {machine()}, {', '.join(versions + sorted(others - {''}))}."
    )


def machine() -> str:
    """The processor, its widest vectors, and its cores."""
    information = Path("/proc/cpuinfo")
    text = information.read_text(encoding="utf-8") if information.exists() else ""
    known = dict(re.findall(r"^(model name|flags)\s*: (.*)$", text, re.MULTILINE))
    model = " ".join(known.get("model name", platform.processor() or platform.machine()).split())
    flags = known.get("flags", "").split()
    vectors = next((f" with {each}" for each in ("avx512f", "avx2") if each in flags), "")
    return f"{model}{vectors}, {os.cpu_count()} cores"


def summary(results: Sequence[Measured], sections: Sequence[str]) -> str:
    """Everything that is printed, and written to a page."""
    explained = (
        "Microseconds of a training step, medians of turns taken side by side. Distance: how far "
        "the parameters of the worst contestant are, after its first steps, from those of float64, "
        f"relative to the way from the start; {TOLERANCE:.0e} is allowed."
    )
    return "\n\n".join([circumstances(results), explained, *sections])


def written(page: str, text: str) -> str:
    """A page with new text between its markers.

    Raises:
        ValueError: the page has no markers.

    >>> print(written(f"{BEGIN} old {END} end", "new"))
    <!-- table: begin -->
    <BLANKLINE>
    new
    <BLANKLINE>
    <!-- table: end --> end
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The page needs the lines {BEGIN} and {END}, in this order.")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"
