"""The example: tensors like those that the functions in C will be given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphnet.errors import FeedError, RangeError
from graphnet.graph.feed import bind, merged
from graphnet.validation import require_integer

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.build import Shapes
    from graphnet.graph import Graph, Input

STEPS = 5
"""The program in C makes at least so many training steps."""


@dataclass
class Example:
    """Tensors by the names of inputs.

    Attributes:
        tensors: the tensors.
        batched: the inputs that take a batch of any size: their tensors are several batches.
        rows: how many rows these have; None if there is no such input.
    """

    tensors: dict[str, Tensor]
    batched: list[str]
    rows: int | None

    @classmethod
    def of(cls, graph: Graph, needed: Sequence[Input], given: Any) -> Example:
        """An example, checked as what is fed to a walk.

        Raises:
            FeedError: a tensor is missing, misnamed, or does not fit its input.
        """
        if given is None:
            names = ", ".join(f"{node.name!r}: ..." for node in needed)
            raise FeedError(
                "export_c needs an example: tensors like those that the functions in C will be "
                "given, for their sizes and for the program that shows a call, "
                f"example={{{names}}}."
            )
        inputs = {node.name: node for node in graph.inputs}
        bound = bind(inputs, graph.parameters(), needed, merged(given, {}, needed))
        tensors = {node.name: bound[node] for node in needed}
        batched = [node.name for node in needed if node.shape and node.shape[0] is None]
        sizes = {name: tensors[name].shape[0] for name in batched}
        if len(set(sizes.values())) > 1:
            raise FeedError(f"All tensors of an example need the same first size; got {sizes}.")
        rows = next(iter(sizes.values()), None)
        if rows == 0:
            raise FeedError("An example needs at least one row; these tensors are empty.")
        return cls(tensors, batched, rows)

    def batch_size(self, given: int | None, default: int | None) -> int:
        """The rows of one call.

        Raises:
            RangeError: the example cannot be divided into batches of this size.
        """
        if self.rows is None:
            if given is not None:
                raise RangeError(
                    "batch_size needs an input whose first size is None: all are fixed."
                )
            return 1
        size = default or self.rows if given is None else given
        require_integer("batch_size", size, 1)
        if self.rows % size:
            raise RangeError(
                f"The example must be whole batches of {size} rows, since the functions in C have "
                f"fixed sizes; got {self.rows} rows. Leave out the last {self.rows % size}."
            )
        return size

    def shapes(self, rows: int) -> Shapes:
        """The shapes of one call, which takes some rows."""
        return {
            name: (rows, *each.shape[1:]) if name in self.batched else tuple(each.shape)
            for name, each in self.tensors.items()
        }

    def batch(self, rows: int) -> Mapping[str, Tensor]:
        """The tensors of the first call."""
        return {
            name: each[:rows] if name in self.batched else each
            for name, each in self.tensors.items()
        }

    def calls(self, rows: int) -> int:
        """How many calls go through all rows."""
        return 1 if self.rows is None else self.rows // rows
