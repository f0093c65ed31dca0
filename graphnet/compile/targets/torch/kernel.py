"""A kernel: the text of a call, with the names of its inputs and options."""

from __future__ import annotations

from typing import NamedTuple


class Kernel(NamedTuple):
    """The text of a call.

    Attributes:
        out: a template; `{x}` stands for an input, `{dim}` for an option, `{out}` for the result.
        inplace: the same where the result is written over the first input.
        function: the function of torch, or of `printer.FUNCTIONS`, that it calls.
    """

    out: str
    inplace: str | None = None
    function: str | None = None

    @property
    def reads_first(self) -> bool:
        """True if it reads all inputs before it writes, element by element."""
        return not self.out.startswith("{out}.")


def function(name: str, arguments: str, inplace: str | None = None) -> Kernel:
    """A kernel that calls a function, which writes its result."""
    return Kernel(f"{name}({arguments})", inplace, name)


COPY = Kernel("{out}.copy_({x})")
ZERO = Kernel("{out}.zero_()")
RULE = Kernel("{out} = {rule}({arguments})")
"""The forward rule of an operation itself: it makes a new tensor, or a view of an input."""
