"""Lines, indented by the blocks that they stand in, and the heads of loops in C and JavaScript."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphnet.compile.lower.axes import Loop

SIMD = "#pragma omp simd"
"""The turns of the loop after it do not depend on each other, whatever memory they use."""
FEW = 4
"""Loops of fewer turns are not worth vectors."""
MANY = 16
"""From this number of rows on, what is left of each is worth a loop of its own."""


class Text:
    r"""Lines, each added to the innermost open block.

    Args:
        counter: what a variable of a loop is declared as: "int" in C, "let" in JavaScript.

    >>> text = Text()
    >>> with text.block("for (int i = 0; i < 3; i++)"):
    ...     text.add("x[i] = 0;")
    >>> print(*text.lines, sep="\n")
    for (int i = 0; i < 3; i++) {
      x[i] = 0;
    }
    """

    def __init__(self, counter: str = "int") -> None:
        self.lines: list[str] = []
        self._counter, self._depth = counter, 0

    def add(self, *lines: str) -> None:
        """Add lines."""
        self.lines += ["  " * self._depth + line for line in lines]

    @contextmanager
    def block(self, head: str = "") -> Iterator[None]:
        """Add a block; what is added meanwhile stands inside."""
        self.add(f"{head} {{".lstrip())
        self._depth += 1
        yield
        self._depth -= 1
        self.add("}")

    @contextmanager
    def loops(
        self, loops: Sequence[Loop], first: int = 0, simd: str = "", lanes: int = 0
    ) -> Iterator[None]:
        """Add nested loops, with the variables i, j, k, ...

        Args:
            loops: the outermost first.
            first: how many loops there are around them.
            simd: stands before the innermost, if it is long enough.
            lanes: the numbers of a vector. What is left of many short rows gets a loop of its own,
                for which compilers choose shorter vectors; 0 for one loop.
        """
        with ExitStack() as blocks:
            for place, loop in enumerate(loops):
                name, size = variable(first + place), loop.size
                if simd and place == len(loops) - 1 and size >= FEW:
                    rows = prod(each.size for each in loops[:-1]) if place else MANY * first
                    rest = size % lanes if rows >= MANY and size > lanes > 0 else 0
                    if rest >= FEW:
                        size -= rest
                        blocks.callback(
                            self._again, len(self.lines), self._head(name, loop.size, size)
                        )
                    self.add(simd)
                blocks.enter_context(self.block(self._head(name, size)))
            yield

    def _head(self, name: str, size: int, start: int = 0) -> str:
        return loop_head(name, size, start=start, counter=self._counter)

    def _again(self, start: int, head: str) -> None:
        """Repeat a loop, with what stands before it, under another head."""
        simd, _, *body = self.lines[start:]
        self.lines.append(simd)
        self.add(f"{head} {{")
        self.lines += body


def variable(place: int) -> str:
    """The variable of a loop that has so many around it."""
    return "ijklmnop"[place]


def loop_head(name: str, size: int, step: int = 1, start: int = 0, counter: str = "int") -> str:
    """The head of a loop."""
    turn = f"{name}++" if step == 1 else f"{name} += {step}"
    return f"for ({counter} {name} = {start}; {name} < {size}; {turn})"
