"""What is learned: a model, its inputs, targets and losses, as one list of nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from inspect import signature
from math import isfinite
from numbers import Real
from operator import add
from typing import TYPE_CHECKING, Any

from graphnet.errors import DtypeError, FeedError, GraphError, counted, shape_text
from graphnet.graph import Node
from graphnet.graph.entry import dtype_text
from graphnet.layers import Module
from graphnet.optim import Optimizer
from graphnet.train.dataset import Batch
from graphnet.train.in_words_of_data import to_convert
from graphnet.train.means import Term
from graphnet.train.model_graph import ModelGraph, require_values
from graphnet.validation import must_be

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Input, Parameter
    from graphnet.train.dataset import DataSet

LossFunction = Callable[..., Node]
"""A loss module, or any function of outputs and targets that returns a node of the shape ()."""

Losses = LossFunction | Sequence["LossFunction | tuple[float, LossFunction] | None"]


class TrainingGraph(ModelGraph):
    """A model on inputs like those of a data set, and one number to minimize.

    Args:
        model: a module with as many inputs as the data has.
        loss: a loss of the outputs and targets; or for a model with several outputs a list with one
            entry for each output: a loss, a pair (weight, loss), or None for an output without a
            target. The weighted losses are added.
        data: determines shapes and dtypes.

    Attributes:
        model: the module.
        example: the data.
        graph: the list.
        inputs: its inputs, named x, or x0, x1, ...
        targets: its inputs for targets, named t, or t0, t1, ...
        outputs: the outputs of the model.
        terms: the losses that are added, each with its weight.
        loss: the number: their sum.
        size: how many nodes that takes; nodes appended later belong to a way of training.

    Raises:
        GraphError: outputs, losses and targets do not fit together, or the model returns no nodes.
        FeedError: the data have no values.
    """

    def __init__(self, model: Module, loss: Losses, data: Batch | DataSet) -> None:
        super().__init__(model, data.inputs, data.targets)
        self.example = Batch(data.inputs, data.targets)
        with self.graph:
            self.terms = tuple(_terms(loss, self.outputs, self.targets))
            self.loss = reduce(add, [term.node for term in self.terms])
        self.size = len(self.graph)

    def require(self, data: Batch | DataSet, name: str) -> None:
        """Refuse data that do not look like the data that the task was made for.

        Raises:
            FeedError: a tensor has another shape or dtype, or their number differs.
        """
        require_values((*data.inputs, *data.targets), name)
        nodes, tensors = (*self.inputs, *self.targets), (*data.inputs, *data.targets)
        if len(data.inputs) != len(self.inputs) or len(tensors) != len(nodes):
            raise FeedError(f"{name} has {len(tensors)} tensors; the task takes {len(nodes)}.")
        for node, tensor in zip(nodes, tensors, strict=True):
            shape = (None, *tensor.shape[1:])
            if shape != node.shape or tensor.dtype != node.dtype:
                raise FeedError(
                    f"{name} has a tensor of the shape {shape_text(shape)} of "
                    f"{dtype_text(tensor.dtype)}; {node.name} takes {shape_text(node.shape)} of "
                    f"{dtype_text(node.dtype)}."
                )

    def feed(self, batch: Batch | DataSet) -> dict[str, Tensor]:
        """The feed of the graph for a batch."""
        nodes = zip((*self.inputs, *self.targets), (*batch.inputs, *batch.targets), strict=True)
        return {node.name: tensor for node, tensor in nodes}


def _terms(loss: Any, outputs: Sequence[Node], targets: Sequence[Input]) -> Iterable[Term]:
    """The losses that are added, each with its weight."""
    if callable(loss):
        yield _term(loss, 1.0, outputs, targets, 0)
        return
    entries = [*_entries(loss)]
    given = [entry for entry in entries if entry is not None]
    if len(entries) != len(outputs) or len(given) != len(targets) or not given:
        raise GraphError(
            "loss has one entry for each output of the model, and the data one tensor of targets "
            f"for each entry that is not None; got {len(outputs)} outputs, {len(entries)} losses "
            f"({len(given)} not None) and {len(targets)} targets."
        )
    pairs = [
        (entry, output) for entry, output in zip(entries, outputs, strict=True) if entry is not None
    ]
    for place, ((weight, each), output) in enumerate(pairs):
        yield _term(each, weight, [output], [targets[place]], place)


def _term(
    loss: LossFunction, weight: float, outputs: Sequence[Node], targets: Sequence[Input], place: int
) -> Term:
    """One loss, with its weight, for the targets that begin at a place."""
    graph = targets[0].graph
    first = len(graph)
    node = _made(loss, outputs, targets)
    built = list(dict.fromkeys(graph.makers[each] for each in graph[first:]))
    return Term.of(node * weight if weight != 1 else node, loss, place, built)


def _made(loss: LossFunction, outputs: Sequence[Node], targets: Sequence[Input]) -> Node:
    """The node of one loss."""
    if isinstance(loss, type):
        raise GraphError(f"A loss is an object: write {loss.__name__}(), with brackets.")
    try:
        signature(getattr(loss, "build", loss)).bind(*outputs, *targets)
    except (TypeError, ValueError) as error:  # a ValueError for a builtin, such as torch.dist
        raise GraphError(
            f"A loss takes outputs and targets, here {len(outputs)} and {len(targets)}; {loss!r} "
            f"does not: {error}. For a model of several outputs, loss is a list with an entry for "
            "each."
        ) from None
    try:
        node = loss(*outputs, *targets)
    except DtypeError as error:
        raise to_convert(error, targets, outputs[0].dtype, "the outputs hold") from None
    if not isinstance(node, Node) or node.shape != ():
        raise GraphError(
            f"A loss must be one number, such as a mean over the batch; {node!r} is not one."
        )
    return node


def _entries(losses: Any) -> Iterable[tuple[float, LossFunction] | None]:
    """Each loss with its weight."""
    if not isinstance(losses, Sequence) or isinstance(losses, str):
        raise GraphError(
            "loss must be a loss, or a list of losses and pairs (weight, loss); "
            f"got {type(losses).__name__}."
        )
    for entry in losses:
        weight, loss = entry if isinstance(entry, tuple) and len(entry) == 2 else (1.0, entry)
        known = isinstance(weight, Real) and isfinite(weight)
        if not known or (loss is not None and not callable(loss)):
            rule = "a loss, a pair (weight, loss) or None"
            raise GraphError(must_be("an entry of loss", rule, entry))
        yield None if loss is None else (float(weight), loss)


# what training must be able to learn

_NAMED = 5  # parameters in a message


def require_learnable(task: TrainingGraph, loss: Any, optimizer: Any) -> None:
    """Refuse an optimizer that would silently leave parameters of the list untrained.

    Leaving out parameters that `model.parameters()` or `parameters()` of a loss lists is a choice,
    and so is freezing some of them.

    Raises:
        GraphError: it is not an optimizer, it belongs to another model, all its parameters in the
            list are frozen, or a parameter of the list is neither frozen, nor known, nor updated.
    """
    if not isinstance(optimizer, Optimizer):
        rule = "one of graphnet, such as gn.Adam(model.parameters())"
        raise GraphError(must_be("optimizer", rule, optimizer))
    listed = [each for each in task.graph.parameters() if not each.is_buffer]
    updated = set(optimizer.parameters)
    known = [each for each in listed if each in updated]
    if not known:
        raise GraphError(
            "The optimizer updates parameters of another model: none of them is in this one. "
            "Make it with model.parameters()."
        )
    if not any(each.requires_grad for each in known):
        raise GraphError(
            f"Nothing can be learned: {_names(task, known)}, all that the optimizer updates in "
            "this model, are frozen. Set `requires_grad` of some of them to True."
        )
    expected = {*updated, *task.model.parameters(), *_of_losses(loss)}
    stray = [each for each in listed if each.requires_grad and each not in expected]
    if stray:
        raise GraphError(
            f"{_names(task, stray)} would never be learned: model.parameters() does not list them, "
            "and the optimizer does not update them. Layers are attributes of their module, made "
            "in __init__ and not in build, and several of them go into a ModuleList. What belongs "
            "to a function is given to the optimizer, too; what shall stay as it is has "
            "requires_grad=False."
        )


def _of_losses(loss: Any) -> Iterable[Parameter]:
    """The parameters of losses that are modules."""
    entries = loss if isinstance(loss, list | tuple) else [loss]
    for entry in entries:
        for each in entry if isinstance(entry, tuple) else (entry,):
            if isinstance(each, Module):
                yield from each.parameters()


def _names(task: TrainingGraph, parameters: list[Parameter]) -> str:
    """The names of some parameters in the list, and how many there are."""
    names = [repr(task.graph.name_of(each)) for each in parameters[:_NAMED]]
    more = ", ..." if len(parameters) > _NAMED else ""
    return f"{counted(len(parameters), 'parameter')} ({', '.join(names)}{more})"
