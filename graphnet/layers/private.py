"""The graph behind `module.forward(tensor)`: built once for a kind of input, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_
from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet.errors import FeedError, GraphError, ShapeError
from graphnet.graph import Graph, Input, Node
from graphnet.layers.state import contents

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.layers.module import Module

_TENSOR = type(empty(0))


class PrivateGraph:
    """The operations of one module on inputs of its own.

    The first size of each input is left open where the module allows it, so that batches of any
    size find the same graph.
    """

    def __init__(self, module: Module, tensors: Sequence[Tensor]) -> None:
        self.module = module
        self.attributes = _attributes(module)
        for tensor in tensors:
            if not isinstance(tensor, _TENSOR):
                raise FeedError(
                    f"{type(module).__name__}.forward takes tensors; a {type(tensor).__name__} "
                    "came. torch.as_tensor(value) makes a tensor."
                )
        try:
            self._build(
                [(None, *tensor.shape[1:]) if tensor.ndim else () for tensor in tensors], tensors
            )
        except GraphError:
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
        self.outputs: Node | tuple[Node, ...] = self.module.append_to(self.graph, *self.inputs)

    def fits(self, tensors: Sequence[Tensor]) -> bool:
        """True if the graph takes these tensors, and the module has not changed since."""
        return (
            len(tensors) == len(self.inputs)
            and all(_takes(node, each) for node, each in zip(self.inputs, tensors, strict=True))
            and _same(self.attributes, _attributes(self.module))
        )

    def forward(self, tensors: Sequence[Tensor]) -> Any:
        """Compute the outputs."""
        self.graph.train(self.module.training)
        feed = dict(zip(self.inputs, tensors, strict=True))
        return self.graph.forward(feed, outputs=self.outputs)

    def backward(self, grads: Sequence[Tensor | None]) -> Any:
        """Add to the gradients of the parameters, and return those of the inputs."""
        outputs = (self.outputs,) if isinstance(self.outputs, Node) else self.outputs
        grads = grads or [None] * len(outputs)
        if len(grads) != len(outputs):
            raise ShapeError(
                f"{type(self.module).__name__}.backward takes the gradient of each of its "
                f"{len(outputs)} outputs; {len(grads)} came."
            )
        for node in self.inputs:
            node.grad = None
        self.graph.backward(outputs, list(grads), accumulate=True)
        results = tuple(node.grad for node in self.inputs)
        return results[0] if len(results) == 1 else results


def _takes(node: Input, tensor: Any) -> bool:
    return (
        isinstance(tensor, _TENSOR)
        and tensor.dtype is node.dtype
        and tensor.ndim == node.ndim
        and all(a in (None, b) for a, b in zip(node.shape, tensor.shape, strict=True))
    )


def _attributes(module: Module) -> list[Any]:
    """All attributes of a module and of the modules inside it, on which its graph depends."""
    return [
        content
        for each in module.modules()
        for name, value in vars(each).items()
        if name != "_private"
        for content in contents(value)
    ] + [parameter.dtype for _, parameter in module.named_state()]


def _same(before: list[Any], now: list[Any]) -> bool:
    return len(before) == len(now) and all(map(is_, before, now))
