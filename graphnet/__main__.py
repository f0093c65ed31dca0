"""`python -m graphnet`, or `graphnet`: what is installed here and in use; and the commands."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from graphnet.compile.targets.c.compilers import HOW_TO_INSTALL, find_compiler
from graphnet.compile.targets.c.library_cache import cache_report, clear_cache
from graphnet.console_text import shown
from graphnet.data.digits import FILES
from graphnet.data.download import VARIABLE, data_folder
from graphnet.draw import engines
from graphnet.errors import GraphError
from graphnet.exercises.classroom import assignment_command
from graphnet.exercises.classroom import command as grading
from graphnet.interop import command as drawing
from graphnet.version import __version__

PACKAGE = Path(__file__).parent
EXTRAS = {
    "native": "ziglang",
    "plot": "matplotlib",
    "pdf": "typst",
    "tensorboard": "tensorboard",
    "tables": "polars",
    "images": "pillow",
    "bench": "jax",
    "docs": "mkdocs-material",
    "dev": "pytest",
}
"""The package that shows whether an extra is installed."""
COMMANDS = {
    "draw": (drawing, "draw a model that a Python file defines"),
    "assignment": (assignment_command, "write exercises for nbgrader or pytest"),
    "grade": (grading, "grade the exercises of a class: points, reasons, feedback"),
}
"""The commands: the module of each, and what it does."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report or the version, clear the cache, or run a command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="graphnet", description=__doc__)
    parser.add_argument("--version", action="version", version=f"graphnet {__version__}")
    parser.add_argument(
        "--clear-cache", action="store_true", help="remove all compiled libraries from the cache"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, (module, text) in COMMANDS.items():
        module.add_arguments(commands.add_parser(name, help=text, description=module.__doc__))
    options = parser.parse_args(arguments)
    if options.command:
        return run(options)
    print(shown(clear_cache() if options.clear_cache else report()))
    return 0


def run(options: argparse.Namespace) -> int:
    """Run a command, and print what it reports; returns the exit code."""
    try:
        print(shown(COMMANDS[options.command][0].run(options)))
    except GraphError as error:
        print(shown(str(error)), file=sys.stderr)
        return 1
    return 0


def report() -> str:
    """What is installed and in use, one line for each thing.

    >>> print(report())  # doctest: +SKIP
    graphnet    0.1.0 in /home/ada/graphnet/graphnet
    Python      3.11.7 on Linux x86_64
    torch       2.15.0+cpu
    threads     2 of 2 cores
    kernels     AVX512, oneDNN, MKL, OpenMP
    devices     cpu
    compiler    gcc 12.2.0 (native code; cache /home/ada/.cache/graphnet/native: 12 libraries, ...)
    data        /home/ada/.cache/graphnet (the user's cache; GRAPHNET_DATA chooses ...)
    ...
    """
    lines = [
        ("graphnet", f"{__version__} in {PACKAGE}"),
        ("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        ("torch", str(torch.__version__)),
        ("threads", f"{torch.get_num_threads()} of {os.cpu_count()} cores"),
        ("kernels", ", ".join(kernels())),
        ("devices", ", ".join(["cpu", *graphics_cards()])),
        ("compiler", compiler()),
        *data(),
    ]
    extras = [(extra, _package(extra, package)) for extra, package in EXTRAS.items()]
    return "\n".join([_table(lines), "", "Extras", _table(extras), "", "Pictures", engines()])


def kernels() -> list[str]:
    """What torch computes with on this processor: its vector instructions and its libraries."""
    backends = torch.backends
    libraries = {
        "oneDNN": backends.mkldnn.is_available(),
        "MKL": backends.mkl.is_available(),
        "OpenMP": backends.openmp.is_available(),
    }
    vectors = backends.cpu.get_cpu_capability()
    return [vectors, *(name for name, there in libraries.items() if there)]


def graphics_cards() -> list[str]:
    """The devices besides the processor, by torch's name and their own."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    cards = [f"cuda:{place} ({torch.cuda.get_device_name(place)})" for place in range(count)]
    return [*cards, "mps"] if torch.backends.mps.is_available() else cards


def compiler() -> str:
    """What compiles native code, and what its cache holds; or how to get a compiler."""
    found = find_compiler()
    if found is None:
        return f"none: native code is off; {HOW_TO_INSTALL}"
    return f"{found} (native code; {cache_report()})"


def data() -> list[tuple[str, str]]:
    """The folder of the data sets and who chose it, and whether MNIST is in it."""
    folder = data_folder()
    raw = folder / "MNIST" / "raw"
    whole = all((raw / f.name).exists() or (raw / f"{f.name}.gz").exists() for f in FILES)
    by_user = bool(os.environ.get(VARIABLE))
    chosen = f"{VARIABLE} says so" if by_user else f"the user's cache; {VARIABLE} chooses another"
    return [
        ("data", f"{folder} ({chosen})"),
        ("MNIST", "is there" if whole else "is not there yet: gn.data.mnist() downloads it"),
    ]


def _package(extra: str, package: str) -> str:
    """A package with its version, or how to get the extra that it belongs to."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        checkout = (PACKAGE.parent / "pyproject.toml").exists()
        where = f'-e ".[{extra}]" in {PACKAGE.parent}' if checkout else f'"graphnet[{extra}]"'
        return f"no: pip install {where}"


def _table(lines: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{what:<11} {text}" for what, text in lines)


if __name__ == "__main__":
    sys.exit(main())
