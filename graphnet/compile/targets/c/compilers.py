"""Which C compiler is here, and the flags that it is given."""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from graphnet.compile.targets.c.background import answer
from graphnet.console_text import printable

__all__ = ["HOW_TO_INSTALL", "Compiler", "Flags", "accepted", "find_compiler", "processor"]

HOW_TO_INSTALL = 'install gcc or clang, or pip install "graphnet[native]"'
"""What to do where no compiler is found."""

_PATIENCE = 5.0  # seconds for a compiler to say its version
_LONGEST = 200  # characters of a version

_REFUSAL = re.compile(r"option|argument|flag|\bcpu\b|target", re.IGNORECASE)


@dataclass(frozen=True)
class Compiler:
    """A C compiler: the arguments that start it, and the first line of its `--version`.

    >>> print(Compiler(("/usr/bin/gcc",), "gcc (Debian 12.2.0-14+deb12u1) 12.2.0"))
    gcc 12.2.0
    """

    command: tuple[str, ...]
    version: str

    def __str__(self) -> str:
        return re.sub(r" *\([^()]*\)", "", self.version) or self.command[0]


@dataclass(frozen=True)
class Flags:
    """The flags of a system: those that it needs, and those that a compiler may refuse.

    `-ffast-math` is not among them: a check for NaN would be compiled away.

    >>> Flags.of("darwin", "arm64").needed
    ('-O3', '-dynamiclib', '-fPIC')
    """

    needed: tuple[str, ...]
    optional: tuple[str, ...]
    libraries: tuple[str, ...]
    suffix: str

    @classmethod
    def of(cls, system: str = sys.platform, machine: str | None = None) -> Flags:
        """The flags for a system and a processor, by the names of Python; by default this one."""
        machine = (platform.machine() if machine is None else machine).lower()
        windows = system in ("win32", "cygwin")
        here = "-mcpu=native" if machine.startswith(("arm", "aarch", "ppc")) else "-march=native"
        wide = ("-mprefer-vector-width=512",) if machine in ("x86_64", "amd64") else ()
        return cls(
            needed=(
                "-O3",
                "-dynamiclib" if system == "darwin" else "-shared",
                *(() if windows else ("-fPIC",)),
            ),
            optional=(
                "-std=gnu11",
                here,
                *wide,
                "-fvisibility=hidden",
                "-fno-math-errno",
                "-fno-trapping-math",
                "-ffp-contract=fast",
                "-fopenmp-simd",
                # Without these two, gcc 12 uses a vector again after a part of it has changed in
                # memory, and gives up vectors to use a number again that was just computed.
                "-fno-predictive-commoning",
                "-fno-tree-pre",
                # Loops that are marked become vectors all the same. In others, gcc 11 and 12 take
                # numbers that lie a few places apart from wrong places.
                "-fno-tree-vectorize",
            ),
            libraries=() if windows else ("-lm",),
            suffix=".dll" if windows else ".so",
        )


def accepted(optional: tuple[str, ...], messages: str) -> tuple[str, ...] | None:
    """The optional flags that are left after a compiler failed; None if they are not the reason.

    Those that its messages name are left out. If they name none, but speak of options, all are.

    >>> accepted(("-march=native", "-fopenmp-simd"), "error: unknown argument: '-march=native'")
    ('-fopenmp-simd',)
    """
    left = tuple(flag for flag in optional if flag.partition("=")[0] not in messages)
    if left != optional:
        return left
    return () if optional and _REFUSAL.search(messages) else None


def find_compiler() -> Compiler | None:
    """The first compiler that runs: `$CC`, cc, gcc, clang, else the package ziglang; or None.

    `$CC` may hold arguments. The answer is kept for as long as `CC` and `PATH` stay the same.
    """
    return _found(os.environ.get("CC", ""), os.environ.get("PATH"))


@lru_cache(maxsize=16)
def _found(variable: str, path: str | None) -> Compiler | None:
    for command in _commands(variable, path):
        line = _version(command)
        if line:
            return Compiler(command, line)
    return _zig()


def _commands(variable: str, path: str | None) -> Iterator[tuple[str, ...]]:
    """Commands that may be a compiler, with the absolute path of each program."""
    for name, *arguments in filter(None, (_words(variable, path), ["cc"], ["gcc"], ["clang"])):
        program = shutil.which(name, path=path)
        if program is not None and not _asks_to_install(program):
            with suppress(OSError):  # the working directory is gone
                yield (str(Path(program).absolute()), *arguments)


def _words(variable: str, path: str | None) -> list[str]:
    """`$CC` as a list of arguments: one program, though its path has spaces, or as in a shell."""
    if not variable.strip() or shutil.which(variable, path=path):
        return [variable] if variable.strip() else []
    try:
        return shlex.split(variable)
    except ValueError:  # a quotation mark without its partner
        return []


def _asks_to_install(program: str) -> bool:
    """Whether a program of macOS only opens a window that offers the developer tools."""
    if sys.platform != "darwin" or not program.startswith("/usr/bin/"):
        return False
    return answer(["/usr/bin/xcode-select", "-p"], _PATIENCE) is None


def _version(command: tuple[str, ...]) -> str | None:
    text = answer([*command, "--version"], _PATIENCE)
    lines = (text or "").strip().splitlines()
    return printable(lines[0].strip()[:_LONGEST]) if lines else None


def _zig() -> Compiler | None:
    """The compiler in the package ziglang, which is started by Python and never imported."""
    with suppress(ImportError, ValueError, PackageNotFoundError):  # hidden, or only a part of it
        if sys.executable and find_spec("ziglang") is not None:
            command = (sys.executable, "-m", "ziglang", "cc")
            return Compiler(command, f"ziglang {version('ziglang')}")
    return None


@cache
def processor() -> str:
    """What `-march=native` depends on: the flags of the processor, or what else its system says."""
    with suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
        # Every core has its own paragraph, and the first stands for all.
        for line in islice(lines, 64):
            if line.startswith(("flags", "Features")):
                return f"{platform.machine()} {line.strip()}"
    return f"{platform.machine()} {platform.processor()}"
