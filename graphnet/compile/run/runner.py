"""A program that can be run: its source, compiled, what it was made for, and its times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import torch

from graphnet.compile.ir.program import Number
from graphnet.console_text import shown
from graphnet.errors import counted
from graphnet.notebook import framed, html_paragraphs, html_table
from graphnet.validation import require_counts

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.program import Program
    from graphnet.compile.passes import Pass
    from graphnet.compile.run.batches import Batches
    from graphnet.graph import Input


Again = Callable[[Mapping[str, Any]], "Tensor | None"]
"""Runs a program with other tensors by name, and the same numbers; see `Runner.again`."""


class Refused(Exception):  # noqa: N818 - a signal between a program and its caller
    """The rule of a node refuses a number; nothing has been written yet. The walk says why."""


class Like(NamedTuple):
    """What a program must know of a tensor that is fed."""

    shape: torch.Size
    device: torch.device


class Expected(NamedTuple):
    """What a fed tensor must be like."""

    name: str
    shape: torch.Size
    dtype: torch.dtype
    device: torch.device


def likenesses(fed: Mapping[str, Tensor]) -> dict[str, Like]:
    """What to know of tensors, without holding them."""
    return {name: Like(each.shape, each.device) for name, each in fed.items()}


class Several(Protocol):
    """Makes several steps in one call."""

    def __call__(
        self, batches: Batches, first: int, numbers: Sequence[float], losses: Tensor
    ) -> tuple[int, Sequence[Tensor]]:
        """Make as many steps as there are losses.

        Returns how many were made, and what else the last one returned.

        Args:
            batches: those of all steps.
            first: the batch of the first step.
            numbers: those of the first step, then those of the next one, and so on.
            losses: what the losses are written to.
        """


class Times(Protocol):
    """Seconds that are added up: a list, or an array of C."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[float]: ...
    def __setitem__(self, place: int, seconds: float, /) -> None: ...


ROUNDS = 5  # of which a profile takes the best


def best_times(run: Callable[[], object], spent: Times, runs: int) -> list[float]:
    """The seconds of each part of a program in a run: the best of a few rounds of several runs.

    What else the machine does makes a round slower, and never faster.

    Args:
        run: makes one run, which adds the seconds of each part to `spent`.
        spent: what is added to.
        runs: how many runs to make in all.
    """
    rounds = min(ROUNDS, runs)
    best = [inf] * len(spent)
    for turn in range(rounds):
        count = runs // rounds + (turn < runs % rounds)
        for place in range(len(spent)):
            spent[place] = 0.0
        for _ in range(count):
            run()
        best = [min(each, seconds / count) for each, seconds in zip(best, spent, strict=True)]
    return best


@dataclass(frozen=True, repr=False)
class Profile:
    """The time of each line, the best of several rounds; `print` and a notebook show a table.

    Attributes:
        lines: the text of each line, the name of the node that it computes, and its microseconds.
    """

    lines: list[tuple[str, str, float]]

    @property
    def total(self) -> float:
        """The microseconds of all lines."""
        return sum(microseconds for _, _, microseconds in self.lines)

    def __str__(self) -> str:
        width = max((len(name) for _, name, _ in self.lines), default=0)
        rows = [
            f"{microseconds:9.2f} {self._share(microseconds):6.1%}  {name:{width}s}  {text}"
            for text, name, microseconds in self.lines
        ]
        head = f"{'µs':>9s}  share  node{'':{max(width - 4, 0)}s}  line"
        return shown("\n".join([head, *rows, f"{self.total:9.2f} 100.0%"]))

    def _share(self, microseconds: float) -> float:
        """A part of the total, which is 0 if all lines are shorter than the clock can see."""
        return microseconds / self.total if self.total else 0.0

    def __repr__(self) -> str:
        return shown(f"<Profile of {counted(len(self.lines), 'line')}: {self.total:.1f} µs>")

    def _repr_html_(self) -> str:
        """The lines as a table, the slowest first, in a notebook."""
        slowest = sorted(self.lines, key=lambda line: -line[2])
        rows = [(f"{t:.2f}", f"{self._share(t):.1%}", name, text) for text, name, t in slowest]
        table = html_table([("µs", "share", "node", "line"), *rows], right=(0, 1))
        return framed(table, html_paragraphs(f"{self.total:.2f} µs in all."))


@dataclass
class Runner:
    """A program in the form of a Python function.

    Attributes:
        program: the list of nodes.
        source: the text of the function, and of what it works on.
        function: the function itself; it takes the fed tensors, then the numbers.
        fed: the names of the fed tensors, in the order of the arguments.
        given: the numbers, which follow, each as (place of the bucket, name).
        expected: the name, shape, dtype and device of each fed tensor.
        memory: the bytes of its buffers.
        profiled: runs it some times with a clock; returns, for each part, its text, the name of
            its node, and its microseconds, see `best_times`.
        many: makes several steps in one call; None if it cannot, see `Several`.
        again: runs it with other tensors by name and the same numbers, and returns the loss as a
            new tensor, or None if a check fails; None if more than a call is needed.
        is_native: True if it writes to memory without torch.
        seconds: an estimate of how long a call takes, if it is native.
        built: the list before the first pass.
    """

    program: Program
    source: str
    function: Callable[..., Any]
    fed: list[str]
    given: list[tuple[int, str]]
    expected: list[Expected]
    memory: int
    profiled: Callable[[Sequence[Any], int], list[tuple[str, str, float]]]
    many: Several | None = None
    again: Again | None = None
    is_native: bool = False
    seconds: float = 0.0
    built: Program = field(init=False)
    passes: Sequence[Pass] = field(init=False)

    @classmethod
    def of(
        cls, program: Program, example: Mapping[str, Tensor] | Mapping[str, Like], **printed: Any
    ) -> Runner:
        """A printed program, for tensors like those of an example."""
        inputs, numbers = passed(program)
        expected = [
            Expected(node.name, example[node.name].shape, node.dtype, example[node.name].device)
            for node in inputs
        ]
        fed, given = [node.name for node in inputs], [node.given for node in numbers]
        return cls(program, fed=fed, given=given, expected=expected, **printed)

    def profile(self, arguments: Sequence[Any], runs: int) -> Profile:
        """Run it with a clock between its lines; the time of the clock is taken off.

        The time of a line is that of the best of a few rounds.

        Raises:
            RangeError: `runs` is not an integer of 1 or more.
        """
        require_counts(runs=runs)
        with torch.inference_mode():
            return Profile(self.profiled(arguments, runs))

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


def passed(program: Program) -> tuple[list[Input], list[Number]]:
    """The arguments of the function: fed tensors, then numbers."""
    numbers = [node for node in program.inputs if isinstance(node, Number)]
    return [node for node in program.inputs if not isinstance(node, Number)], numbers
