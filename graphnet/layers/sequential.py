"""Modules one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from graphnet.errors import GraphError
from graphnet.graph import Node
from graphnet.graph.entry import graph_of
from graphnet.layers.collection import ListOf, require_module
from graphnet.layers.module import Module

if TYPE_CHECKING:
    from graphnet.graph.nodelist import NodeList


class Sequential(ListOf[Module]):
    """Modules one after the other: the output of each is the input of the next.

    It has the methods of a list, as in torch.nn: `append`, `insert`, `extend`, `pop`, indices and
    slices, `del`, `+`. Changes take effect at the next `forward`.

    Raises:
        GraphError: an item is not a module.

    >>> import graphnet as gn
    >>> model = gn.Sequential(gn.Linear(2, 25), gn.Tanh()).add(gn.Linear(25, 2))
    >>> [name for name, _ in model.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    >>> model[:2]
    Sequential(
      (0): Linear(2, 25, bias=True)
      (1): Tanh()
    )
    """

    def __init__(self, *modules: Module) -> None:
        super().__init__(modules)

    def add(self, *modules: Module) -> Self:
        """Append modules, and return the Sequential."""
        return self.extend(modules)

    def build(self, x: Node) -> Node:
        """Append the operations of each module in turn.

        A nested Sequential is opened here and not called, because Python's calls nest only a few
        hundred deep.

        Raises:
            GraphError: a Sequential is inside itself.
        """
        graph = graph_of((x,))
        opened: list[Sequential] = [self]
        rest = [iter(self)]
        while rest:
            module = next(rest[-1], None)
            if module is None:
                del opened[-1], rest[-1]
                if rest:
                    graph.scopes.leave()
            elif type(module) is Sequential and isinstance(x, Node):
                module._open(graph, opened)
                rest.append(iter(module))
            else:
                x = module(x)
        return x

    def _open(self, graph: NodeList, opened: list[Sequential]) -> None:
        """Start building inside the opened ones."""
        if self in opened:
            raise GraphError(
                "A Sequential is inside itself, so its operations never end. Make another one "
                "for the inner position, or remove it: del model[index]."
            )
        opened.append(self)
        self._enter(graph)

    def _fitting(self, item: Any) -> Module:
        return require_module(self, item, "Sequential(*modules)")

    def _like(self, items: tuple[Module, ...]) -> Any:
        return Sequential(*items)
