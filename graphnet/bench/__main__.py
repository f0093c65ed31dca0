"""`python -m graphnet.bench`: run the named measurements; the table if none is named."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from graphnet.bench import single, study, table


def main() -> int:
    """Run what the command line names; returns the exit code."""
    known: dict[str, Callable[[], None]] = {
        "walk": single.walk,
        "list": single.nodes,
        "import": single.imports,
        "conv": single.convolution,
        "study": study.study,
    }
    parser = argparse.ArgumentParser(prog="python -m graphnet.bench", description=__doc__)
    names = ["table", *known]
    parser.add_argument(
        "names", nargs="*", choices=[*names, []], metavar="name", help=f"of {', '.join(names)}"
    )
    table.add_options(parser)
    options = parser.parse_args()
    code = 0
    for name in options.names or ["table"]:
        code = max(code, table.run(options) if name == "table" else single.run(known[name]))
    return code


if __name__ == "__main__":
    sys.exit(main())
