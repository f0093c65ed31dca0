"""A program that can be run: its source, compiled, and what it was made for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Number, Program
    from graphnet.compile.targets.torch.printer import Line


class Refused(Exception):  # noqa: N818 - a signal between a program and its caller
    """The rule of a node refuses a number; nothing has been written yet. The walk says why."""


@dataclass
class Runner:
    """A program in the form of a Python function.

    Attributes:
        program: the list of nodes.
        source: the text of the function, and of what it works on.
        function: the function itself; it takes the fed tensors, then the numbers.
        fed: the names of the fed tensors, in the order of the arguments.
        numbers: the numbers, which follow.
        expected: the name, shape, dtype and device of each fed tensor.
        lines: the text line by line, each with the node that it computes.
        arguments: the names of the arguments in the text.
        names: what the other names in the text stand for.
        memory: the bytes of its buffers.
        built: the list before the first pass.
    """

    program: Program
    source: str
    function: Callable[..., Any]
    fed: list[str]
    numbers: list[Number]
    expected: list[tuple[str, Any, Any, Any]]
    lines: list[Line]
    arguments: list[str]
    names: dict[str, Any]
    memory: int
    built: Program = field(init=False)

    def takes(self, fed: Mapping[str, Any]) -> bool:
        """True if the program is for tensors like these."""
        if len(fed) != len(self.expected):
            return False
        try:
            for name, shape, dtype, device in self.expected:
                tensor = fed[name]
                if tensor.shape != shape or tensor.dtype is not dtype or tensor.device != device:
                    return False
        except (KeyError, AttributeError):
            return False
        return True
