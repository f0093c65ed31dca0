"""`python -m graphnet.experiments.pairs`: train the named networks, or all."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import graphnet as gn
from graphnet.console_text import shown
from graphnet.errors import GraphError
from graphnet.experiments.options import integer_from
from graphnet.experiments.pairs import report, study
from graphnet.experiments.pairs.recipes import RECIPES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line requests; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        run(options)
    except (GraphError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:  # finished rounds are kept
        return 130
    return 0


def run(options: argparse.Namespace) -> None:
    """Train, then show and save the results.

    Raises:
        GraphError: the digits are missing, or there are not that many, or the folder has rounds
            with other settings.
        OSError: the folder cannot be written.
    """
    gn.data.digit_pairs(options.pairs)  # what is missing is reported once, not by each round
    results = {}
    for name in options.models or RECIPES:
        results[name] = study.run(
            name,
            options.rounds,
            workers=options.workers,
            directory=options.out and options.out / "rounds",
            pairs=options.pairs,
            epochs=options.epochs,
            augment=options.augment,
        )
        sys.stderr.write("{}: {}\n".format(*report.row(results[name])))
    sys.stdout.write(shown(report.text(results)) + "\n")
    if options.out is not None:
        report.write(options.out, results)


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(
        prog="python -m graphnet.experiments.pairs",
        description="Is the first of two digits less than or equal to the second? Train networks "
        "that answer it, and compare them over several rounds with fresh pairs and weights.",
    )
    count = integer_from(1)
    made.add_argument("--rounds", type=count, default=10, help="of each network (10)")
    made.add_argument(
        "--models", nargs="+", choices=RECIPES, metavar="NAME", help=f"of {', '.join(RECIPES)}"
    )
    made.add_argument(
        "--augment", action="store_true", help="augment wherever both digits are learned"
    )
    made.add_argument("--epochs", type=count, help="instead of those of each recipe")
    made.add_argument(
        "--pairs", type=count, default=study.PAIRS, help=f"to train and to test on ({study.PAIRS})"
    )
    made.add_argument("--workers", type=count, default=1, help="rounds at the same time (1)")
    made.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="a folder for record, curves and pictures; finished rounds are not run again",
    )
    return made


if __name__ == "__main__":
    sys.exit(main())
