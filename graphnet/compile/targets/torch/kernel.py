"""A kernel: the text of a call, with the names of its inputs and options."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

_CALL = re.compile(r"(?<![\w.}])[A-Za-z_]\w*(?=\()")
"""A function that is called by its name, not as the method of something."""


class Kernel(NamedTuple):
    """The text of a call.

    Attributes:
        out: a template; `{x}` stands for an input, `{dim}` for an option, `{out}` for the result.
        inplace: the same where the result is written over the first input.
    """

    out: str
    inplace: str | None = None

    @property
    def function(self) -> str | None:
        """The function of torch, or of `printer.FUNCTIONS`, that it calls; None for methods."""
        return _called(self.out)

    @property
    def reads_first(self) -> bool:
        """True if it reads all inputs before it writes, element by element."""
        return not self.out.startswith("{out}.")


@cache
def _called(text: str) -> str | None:
    found = _CALL.search(text)
    return None if found is None else found[0]


COPY = Kernel("{out}.copy_({x})")
ZERO = Kernel("{out}.zero_()")
RULE = Kernel("{out} = {rule}({arguments})")
"""The forward rule of an operation itself: it makes a new tensor, or a view of an input."""
