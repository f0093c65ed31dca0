"""A model on inputs like given ones, as a list of nodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any

import torch

from graphnet.errors import DtypeError, FeedError, GraphError, counted
from graphnet.graph import Graph, Input, Node
from graphnet.layers import Module
from graphnet.losses import Loss
from graphnet.train.in_words_of_data import to_convert
from graphnet.validation import must_be

if TYPE_CHECKING:
    from torch import Tensor


class ModelGraph:
    """A model on inputs like given ones.

    Args:
        model: a module with as many inputs as there are.
        inputs: tensors that determine shapes and dtypes.
        targets: the same for targets, which the model does not read.

    Attributes:
        model: the module.
        graph: the list.
        inputs: its inputs, named x, or x0, x1, ...
        targets: its inputs for targets, named t, or t0, t1, ...
        outputs: the outputs of the model.

    Raises:
        GraphError: the model does not take the inputs, or returns no nodes.
        FeedError: the tensors have no values.
    """

    def __init__(
        self, model: Module, inputs: Sequence[Tensor], targets: Sequence[Tensor] = ()
    ) -> None:
        require_model(model)
        require_values((*inputs, *targets), "data")
        self.model = model
        with Graph() as self.graph:
            self.inputs = _inputs("x", inputs)
            self.targets = _inputs("t", targets)
            self.outputs = _outputs(model, self.graph, self.inputs)

    @property
    def device(self) -> torch.device:
        """The device of the parameters; for a model without parameters, that of new tensors."""
        parameters = self.graph.parameters()
        if parameters:
            return parameters[0].top.device
        return torch.empty(0).device


def require_model(model: Any) -> None:
    """Refuse what is no model.

    Raises:
        GraphError: it is no module, or a loss.
    """
    if not isinstance(model, Module):
        rule = "a graphnet module, such as gn.Sequential(gn.Linear(2, 1))"
        raise GraphError(must_be("model", rule, model))
    if isinstance(model, Loss):
        raise GraphError(f"The model comes first, then the loss; got {model!r} as a model.")


def _inputs(letter: str, tensors: Sequence[Tensor]) -> tuple[Input, ...]:
    """An input for each tensor, of any number of rows."""
    names = numbered(letter, len(tensors))
    return tuple(
        Input((None, *tensor.shape[1:]), name=name, dtype=tensor.dtype)
        for name, tensor in zip(names, tensors, strict=True)
    )


def numbered(name: str, count: int) -> list[str]:
    """Names for some inputs: x, or x0, x1, ..."""
    return [name] if count == 1 else [f"{name}{place}" for place in range(count)]


def _outputs(model: Module, graph: Graph, inputs: Sequence[Input]) -> tuple[Node, ...]:
    """What `build` returns for the inputs, as a tuple of nodes."""
    try:
        signature(model.build).bind(*inputs)
    except TypeError as error:
        raise GraphError(
            f"The data have {counted(len(inputs), 'input')}, which {type(model).__name__} does not "
            f"take: {error}. The data are the pair (inputs, targets); several inputs are a tuple."
        ) from None
    try:
        made: Any = model.append_to(graph, *inputs)
    except DtypeError as error:
        held = (each.dtype for each in model.parameters() if each.dtype.is_floating_point)
        raise to_convert(error, inputs, next(held, None), "the parameters hold") from None
    if isinstance(made, Node):
        return (made,)
    outputs = tuple(made) if isinstance(made, Iterable) else ()
    if not outputs or not all(isinstance(each, Node) for each in outputs):
        raise GraphError(
            "The build of a model returns a node, or a tuple of nodes; that of "
            f"{type(model).__name__} returned {made!r}. Does build end with `return`?"
        )
    return outputs


def require_values(tensors: Sequence[Tensor], name: str) -> None:
    """Refuse tensors without values, which the device `meta` has.

    Raises:
        FeedError: there is one.
    """
    if any(each.is_meta for each in tensors):
        raise FeedError(f"{name} has a tensor on the device meta, where tensors have no values.")
