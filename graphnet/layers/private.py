"""The graph behind `module.forward(tensor)`: built once for each kind of input, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from operator import is_
from typing import TYPE_CHECKING, Any

from graphnet.errors import FeedError, GraphError, ShapeError
from graphnet.graph import Graph, Input
from graphnet.layers.nesting import leaves, nested, setting, structure_of
from graphnet.layers.state import contents
from graphnet.ops.dims import TENSOR

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.layers.module import Module


class PrivateGraph:
    """The operations of one module on its own inputs.

    Inputs and outputs are nodes, or tuples, lists and dicts of them, nested as `build` takes and
    returns them; in keyword arguments flags, numbers and strings stay as they are.
    The batch size is left open if the module allows it, so that batches of any size use the same
    graph.
    """

    def __init__(self, module: Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        self.module = module
        self.attributes = _attributes(module)
        self.structure = structure_of((arguments, setting(named)))
        tensors = leaves((arguments, setting(named)))
        for each in (*arguments, named):
            for leaf in leaves(setting(each) if each is named else each):
                if not isinstance(leaf, TENSOR):
                    kind = type(each if isinstance(each, list) else leaf).__name__
                    raise FeedError(
                        f"{type(module).__name__}.forward takes tensors; got {kind}. "
                        "torch.as_tensor(value) makes a tensor."
                    )
        with suppress(GraphError):  # the module may need all sizes
            self._build([_open(tensor.shape, module.batch_dim) for tensor in tensors], tensors)
            return
        self._build([tuple(tensor.shape) for tensor in tensors], tensors)

    def _build(self, shapes: list[tuple[int | None, ...]], tensors: Sequence[Tensor]) -> None:
        self.graph = Graph()
        self.inputs = [
            Input(
                shape,
                name=f"input_{place}" if place else "input",
                dtype=tensor.dtype,
                requires_grad=tensor.dtype.is_floating_point,
                graph=self.graph,
            )
            for place, (shape, tensor) in enumerate(zip(shapes, tensors, strict=True))
        ]
        arguments, named = nested(self.inputs, self.structure)
        outputs = self.module.append_to(self.graph, *arguments, **named)
        outputs = self.module._in_plain(outputs)
        self.outputs = setting(tuple(outputs) if isinstance(outputs, list) else outputs)

    def fits(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> bool:
        """True if the graph takes these tensors, and the module has not changed since."""
        given = arguments, setting(named)
        return (
            structure_of(given) == self.structure
            and all(map(_takes, self.inputs, leaves(given)))
            and _same(self.attributes, _attributes(self.module))
        )

    def forward(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Compute the outputs."""
        feed = dict(zip(self.inputs, leaves((arguments, setting(named))), strict=True))
        values = self.graph.forward(feed, outputs=leaves(self.outputs))
        return self.module._in_classes(nested(values, structure_of(self.outputs)))

    def backward(self, gradients: tuple[Any, ...]) -> Any:
        """Add to the gradients of the parameters, and return those of the inputs."""
        outputs = leaves(self.outputs)
        grads = leaves(self.module._in_plain(gradients)) or [None] * len(outputs)
        if len(grads) != len(outputs):
            raise ShapeError(
                f"{type(self.module).__name__}.backward takes the gradient of each of its "
                f"{len(outputs)} outputs; got {len(grads)}."
            )
        for node in self.inputs:
            node.grad = None
        self.graph.backward(outputs, grads, accumulate=True)
        results, named = nested([node.grad for node in self.inputs], self.structure)
        results = (*results, named) if named else results
        return results[0] if len(results) == 1 else results


def _open(shape: Sequence[int], dim: int) -> tuple[int | None, ...]:
    """A shape with one size unknown, if it has that dimension."""
    return tuple(None if place == dim else size for place, size in enumerate(shape))


def _takes(node: Input, tensor: Any) -> bool:
    return (
        isinstance(tensor, TENSOR)
        and tensor.dtype is node.dtype
        and tensor.ndim == node.ndim
        and all(a in (None, b) for a, b in zip(node.shape, tensor.shape, strict=True))
    )


def _attributes(module: Module) -> list[Any]:
    """All attributes of a module and its submodules, on which its graph depends."""
    modules = list(module.modules())
    return [
        content
        for each in modules
        for name, value in vars(each).items()
        if name != "_private"
        for content in contents(value)
    ] + [parameter.dtype for each in modules for _, parameter in each._own_parameters()]


def _same(before: list[Any], now: list[Any]) -> bool:
    return len(before) == len(now) and all(map(is_, before, now))
