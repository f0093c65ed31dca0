"""`python -m graphnet.bench`: run the named measurements; the table if none is named."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from graphnet.bench import report, single
from graphnet.bench.costs import costs
from graphnet.bench.networks import NETWORKS
from graphnet.bench.turns import CONTESTANTS, Effort, Measured, measure
from graphnet.console_text import shown

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"

QUICK = Effort(turns=3, seconds=0.005)


def main() -> int:
    """Run what the command line names; returns the exit code."""
    known: dict[str, Callable[[], None]] = {
        "walk": single.walk,
        "list": single.nodes,
        "import": single.imports,
        "conv": single.convolution,
        "study": single.study,
    }
    parser = argparse.ArgumentParser(prog="python -m graphnet.bench", description=__doc__)
    names = ["table", *known]
    parser.add_argument(
        "names", nargs="*", choices=[*names, []], metavar="name", help=f"of {', '.join(names)}"
    )
    add_options(parser)
    options = parser.parse_args()
    chosen = options.names or ["table"]
    return max(table(options) if name == "table" else single.run(known[name]) for name in chosen)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command-line options of the table."""
    options = parser.add_argument_group("of the table")
    options.add_argument("--threads", type=int, nargs="+", default=[1], metavar="N")
    for option, names in (("--networks", [*NETWORKS]), ("--contestants", CONTESTANTS)):
        options.add_argument(
            option, nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names)
        )
    options.add_argument("--no-costs", action="store_true", help="no memory, no compile time")
    options.add_argument("--quick", action="store_true", help="a few short turns: a trial")
    options.add_argument("--write", action="store_true", help="put the table on the page")
    options.add_argument("--page", type=Path, default=PAGE, help="docs/performance.md")


def table(options: argparse.Namespace) -> int:
    """Measure, print, and write if requested; 1 if parameters differ, else 0."""
    effort = QUICK if options.quick else Effort()
    sections: list[str] = []
    everything: list[Measured] = []
    for threads in options.threads:
        results = []
        for name in options.networks:
            sys.stderr.write(f"{name}, {threads} threads ...\n")
            results.append(measure(NETWORKS[name], threads, options.contestants, effort))
        sections.append(report.table(results, options.contestants))
        everything += results
    if not options.no_costs:
        dense, images = NETWORKS["mlp-1024"], NETWORKS["lenet"]
        found = costs(dense.name, images.name, 1 if options.quick else 5)
        sections.append(report.cost_lines(found, dense.title, images.title))
    text = report.summary(everything, sections)
    sys.stdout.write(shown(f"{text}\n"))
    if options.write:
        page = options.page.read_text(encoding="utf-8")
        options.page.write_text(report.written(page, text), encoding="utf-8")
    return 1 if any(each.wrong for each in everything) else 0


if __name__ == "__main__":
    sys.exit(main())
