"""Snapshots: tensors and random states as they are now, to be restored later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

import torch

from graphnet.graph import Operation

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from graphnet.graph import Graph


class Snapshot:
    """Tensors and random states at one time. A `with` block restores them at its end.

    Args:
        tensors: what may be changed in place.
        generators: what random numbers are drawn from.

    >>> from torch import empty
    >>> x = empty(2).fill_(1)
    >>> with Snapshot([x]):
    ...     value = x.fill_(7)
    >>> x
    tensor([1., 1.])
    """

    def __init__(
        self, tensors: Iterable[Tensor] = (), generators: Iterable[Generator] = ()
    ) -> None:
        self._values = [(tensor, tensor.clone()) for tensor in tensors]
        self._states = [(each, each.get_state()) for each in generators]

    def restore(self) -> None:
        """Go back. A tensor that still has its value is not written to."""
        for tensor, value in self._values:
            if not torch.equal(tensor, value):
                tensor.copy_(value)
        for generator, state in self._states:
            generator.set_state(state)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.restore()


def buffers_of(graph: Graph) -> list[Tensor]:
    """What a forward walk may change: the values that are kept and not learned."""
    return [each.top for each in graph.parameters() if each.is_buffer]


def default_generators() -> list[Generator]:
    """The generators that torch draws from by default: that of the CPU, and of each GPU."""
    return [torch.default_generator, *torch.cuda.default_generators]


def own_generators(graph: Graph) -> list[Generator]:
    """The generators that were given to operations of a graph, each of them once."""
    options = (
        value for node in graph if isinstance(node, Operation) for value in node.op.options.values()
    )
    return list(dict.fromkeys(each for each in options if isinstance(each, torch.Generator)))


def generators_of(graph: Graph) -> list[Generator]:
    """All generators that a walk over a graph may draw from."""
    return [*default_generators(), *own_generators(graph)]
