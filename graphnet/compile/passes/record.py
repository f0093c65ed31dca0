"""What each pass did to a list: before and after, as lists and as the lines that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import TYPE_CHECKING, overload

from graphnet.console_text import printable, text_table
from graphnet.errors import GraphError
from graphnet.listing.table import computed
from graphnet.notebook import framed, html_table, html_text

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Program
    from graphnet.compile.passes import Pass


@dataclass(frozen=True, repr=False)
class PassRecord:
    """One pass, and what it did. `print(record)` shows the lines of the list that differ.

    Attributes:
        name: the name of the pass.
        before: the list that it was given; a graph, which can be printed and drawn.
        after: the list that it made.
    """

    name: str
    before: Program
    after: Program

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self.before)} nodes -> {len(self.after)}>"

    def __str__(self) -> str:
        lists = (_lines(self.before), _lines(self.after))
        changes = list(unified_diff(*lists, "before", "after", lineterm="", n=1))
        return "\n".join(map(printable, changes[2:] or ["nothing changed"]))

    def _repr_html_(self) -> str:
        """The lines that differ, in a notebook."""
        return framed(html_text(str(self)))


class PassRecords(Sequence[PassRecord]):
    """The passes that made a program, in order; `print(records)` counts the nodes.

    Args:
        program: the list before the first pass.
        passes: what is done to it, one after the other.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> graph = gn.Graph()
    >>> x = graph.input((None,), name="x")
    >>> predict = graph.compile((x.exp() * 2).sum() + (x.exp() * 2).mean())
    >>> _ = predict(x=empty(3).fill_(1))
    >>> print(predict.passes)
    pass                before  after
    running_statistics       8      8
    decompose                8      8
    specialize               8      8
    dce                      8      8
    fold_constants           8      8
    cse                      8      6
    fuse                     6      6
    >>> print(predict.passes["cse"])
    @@ -4,5 +4,3 @@
     sum = sum(mul, dims=(0,))
    -exp_1 = exp(x)
    -mul_1 = mul(exp_1, 2)
    -mean = mean(mul_1, dims=(0,))
    +mean = mean(mul, dims=(0,))
     add = add(sum, mean)
    """

    def __init__(self, program: Program, passes: Sequence[Pass]) -> None:
        self._records: list[PassRecord] = []
        for each in passes:
            after = each(program)
            self._records.append(PassRecord(each.__name__, program, after))
            program = after

    @overload
    def __getitem__(self, place: int | str) -> PassRecord: ...
    @overload
    def __getitem__(self, place: slice) -> list[PassRecord]: ...
    def __getitem__(self, place: int | str | slice) -> PassRecord | list[PassRecord]:
        """A pass by its place or its name."""
        if not isinstance(place, str):
            return self._records[place]
        for record in self._records:
            if record.name == place:
                return record
        names = ", ".join(record.name for record in self._records)
        raise GraphError(f"There is no pass {place!r}; the passes are {names}.")

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"<{len(self)} passes: {', '.join(record.name for record in self)}>"

    def __str__(self) -> str:
        return text_table(self._table(), right=(1, 2))

    def _repr_html_(self) -> str:
        """The table, in a notebook."""
        return framed(html_table(self._table(), right=(1, 2)))

    def _table(self) -> list[tuple[str, ...]]:
        body = [(r.name, str(len(r.before)), str(len(r.after))) for r in self._records]
        return [("pass", "before", "after"), *body]


def _lines(program: Program) -> list[str]:
    """The nodes by name; without places and rails, which change wherever a node is dropped."""
    return [f"{program.name_of(node)} = {computed(program, node) or node.kind}" for node in program]
