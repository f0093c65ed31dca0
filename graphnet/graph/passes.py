"""The two walks over the list: forward fills each `top` in order, backward each `grad` in reverse.

A pass is prepared once for the nodes that are asked for, and then run as often as needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from graphnet.errors import DtypeError, FeedError, GraphError, ShapeError, StateError, shape_text
from graphnet.graph.complaints import explain_backward, explain_forward
from graphnet.graph.derivatives import refuse_non_scalar
from graphnet.graph.entry import dtype_text
from graphnet.graph.kinds import Input, Mode, Operation
from graphnet.graph.parameter import Parameter
from graphnet.graph.uses import Use, uses

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph.node import Node


class Versions(NamedTuple):
    """How often values had been written to when a forward walk had filled them.

    Attributes:
        leaves: the inputs and parameters that were read.
        versions: the version of each of these.
        operations: the operations that were computed.
        writes: the writes to the value of each of these; empty where they are not counted.
    """

    leaves: Sequence[Node]
    versions: list[object]
    operations: Sequence[Operation]
    writes: list[int]


class ForwardPass:
    """The walk that computes some nodes: every operation among their ancestors, in order."""

    def __init__(
        self, nodes: Sequence[Node], walked: Sequence[Node], targets: tuple[Node, ...]
    ) -> None:
        self.targets = targets
        self.operations = [node for node in walked if isinstance(node, Operation)]
        self.leaves = [node for node in walked if not isinstance(node, Operation)]
        self.inputs = [node for node in walked if isinstance(node, Input)]
        self.modes = [
            each for node in self.operations for each in node.sources if isinstance(each, Mode)
        ]
        self.changing = [node for node in nodes if not isinstance(node, Parameter)]
        seen = set(walked)
        self.idle = [node for node in self.changing if node not in seen]

    def run(self, feed: Mapping[Input, Tensor]) -> Versions:
        """Compute every `top`, and return the versions of these values and of their leaves.

        What this walk does not compute is forgotten; after an error, everything is.
        """
        for node in self.changing:
            node.grad = None
        for node in self.idle:
            node.forget()
        for place, tensor in feed.items():
            place.top = tensor
        self.note_modes()
        operation = None
        try:
            for operation in self.operations:
                operation.top = operation.op.forward(*[each.top for each in operation.sources])
        except BaseException as error:
            explanation = explain_forward(operation, error)
            for node in self.changing:
                node.forget()
            raise explanation from (None if isinstance(error, GraphError) else error)
        versions = [leaf.version for leaf in self.leaves]
        return Versions(self.leaves, versions, self.operations, written(self.operations))

    def note_modes(self) -> None:
        """Keep the training modes of now for the backward walk."""
        for mode in self.modes:
            mode.walked = mode.top


class BackwardPass:
    """The walk that sends gradients from some nodes back to all that they are computed from."""

    def __init__(
        self, nodes: Sequence[Node], walked: Sequence[Node], targets: Sequence[Node]
    ) -> None:
        self.targets = targets
        self.changing = [node for node in nodes if not isinstance(node, Parameter)]
        self.operations = [node for node in self.changing if isinstance(node, Operation)]
        self.parameters = [node for node in nodes if isinstance(node, Parameter)]
        self.leaves = [node for node in walked if not isinstance(node, Operation)]
        self.inputs = [node for node in self.leaves if isinstance(node, Input)]
        self.learned = [leaf.requires_grad for leaf in self.leaves]
        self.steps = [
            (node, [use for use in uses(node) if use.source.requires_grad])
            for node in reversed(walked)
            if isinstance(node, Operation)
        ]

    @property
    def valid(self) -> bool:
        """False once a parameter or an input has changed its mind about a gradient."""
        return self.learned == [leaf.requires_grad for leaf in self.leaves]

    def run(self, seeds: Sequence[Tensor], accumulate: bool) -> None:
        """Fill every `grad`; those of the parameters change only once the whole walk is done."""
        for node in self.operations if accumulate else self.changing:
            node.grad = None
        sums: dict[Node, Tensor] = {}
        for target, seed in zip(self.targets, seeds, strict=True):
            hand(seed, target, sums)
        use: Use | None = None
        try:
            for operation, inputs in self.steps:
                if operation not in sums:
                    continue
                operation.grad = sums[operation]
                for use in inputs:
                    grad, source = use.gradient(), use.source
                    sums[source] = sums[source] + grad if source in sums else grad  # as `hand`
        except BaseException as error:
            for node in self.changing:
                node.grad = None
            explain_backward(use, error)
            raise
        for node in self.inputs:
            if node in sums:
                node.grad = sums[node] if node.grad is None else node.grad + sums[node]
        commit(sums, self.parameters, accumulate)


def hand(grad: Tensor, node: Node, sums: dict[Node, Tensor]) -> None:
    """Add to the gradient of a node; not in place, since the tensor may belong to others too."""
    sums[node] = sums[node] + grad if node in sums else grad


def commit(sums: Mapping[Node, Tensor], parameters: Iterable[Parameter], accumulate: bool) -> None:
    """Write the sums over all uses into the gradients of the parameters."""
    for parameter in parameters:
        if parameter in sums:
            parameter.receive(sums[parameter], accumulate)
        elif not accumulate:
            parameter.grad = None


def ancestors(nodes: Sequence[Node], targets: Sequence[Node]) -> list[Node]:
    """The targets and all that they are computed from, in walk order."""
    wanted = set(targets)
    for node in reversed(nodes):
        if node in wanted:
            wanted.update(node.inputs)
    return [node for node in nodes if node in wanted]


def written(operations: Sequence[Operation]) -> list[int]:
    """How often the value of each operation was written to; empty in inference mode."""
    try:
        return [operation.top._version for operation in operations]
    except RuntimeError:  # tensors of inference mode do not count
        return []


def refuse_stale(leaves: Sequence[Node], versions: Versions) -> None:
    """Refuse a backward walk over values that are no longer those of the forward walk.

    Raises:
        StateError: a fed tensor, a parameter or the value of an operation was changed since.
    """
    if versions.versions != [leaf.version for leaf in versions.leaves]:
        _refuse_changed(leaves, versions)
    if versions.writes and versions.writes != written(versions.operations):
        _refuse_written(versions)


def _refuse_changed(leaves: Sequence[Node], versions: Versions) -> None:
    """Refuse inputs and parameters that were changed, if they are among these."""
    known = dict(zip(versions.leaves, versions.versions, strict=True))
    for leaf in leaves:
        if leaf.version != known.get(leaf, leaf.version):
            raise StateError(
                f"{leaf} was changed after the forward pass, in place or by an optimizer's step, "
                "so the values of the graph are out of date. Run graph.forward again first."
            )


def _refuse_written(versions: Versions) -> None:
    """Refuse values that were written to; views of parameters change with all of their home."""
    homes = {
        leaf.home.value.untyped_storage().data_ptr()
        for leaf in versions.leaves
        if isinstance(leaf, Parameter)
    }
    pairs = zip(versions.operations, versions.writes, strict=True)
    for node, writes in pairs:
        if node.top._version != writes and node.top.untyped_storage().data_ptr() not in homes:
            raise StateError(
                f"The value of {node} was written to after the forward pass, so its gradient would "
                "be wrong. Write to a copy, node.top.clone(), or run graph.forward again first."
            )


def seed(target: Node, grad: Tensor | None) -> Tensor:
    """The gradient to start from: 1 for a scalar, else what is given.

    Raises:
        StateError: the target has no value yet.
        GraphError: the target is not a scalar, and no gradient is given.
        DtypeError: the target holds whole numbers.
        FeedError: the gradient is not a tensor.
        ShapeError: the gradient has another shape than the target.
    """
    top = target.top
    if not top.dtype.is_floating_point:
        raise DtypeError(
            f"{target} holds {dtype_text(top.dtype)}; only floating numbers have gradients."
        )
    if grad is None:
        refuse_non_scalar(target, tuple(top.shape))
        return top.new_ones(())
    if not isinstance(grad, type(top)):
        raise FeedError(
            f"grad must be a tensor of the shape of {target}, or be left out for a scalar; "
            f"{type(grad).__name__} came."
        )
    if grad.shape != top.shape or grad.dtype is not top.dtype:
        raise (ShapeError if grad.shape != top.shape else DtypeError)(
            f"grad is {shape_text(tuple(grad.shape))} {dtype_text(grad.dtype)}; {target}, the "
            f"node to differentiate, is {shape_text(tuple(top.shape))} {dtype_text(top.dtype)}. "
            "Both must be the same."
        )
    return grad.detach()


def one_each(grad: Any, targets: Sequence[Node]) -> Sequence[Any]:
    """A gradient for each target, None where none was given."""
    if grad is None:
        return [None] * len(targets)
    grads = grad if isinstance(grad, tuple | list) else [grad]
    if len(grads) != len(targets):
        raise GraphError(
            f"{len(targets)} nodes to differentiate take as many gradients; {len(grads)} came."
        )
    return grads


_MOST_WALKS = 16  # that a graph keeps prepared, each as long as its list


def keep_few(walks: dict[Any, Any], targets: Any, walk: Any) -> None:
    """Keep a prepared walk, and forget the oldest of too many."""
    if len(walks) == _MOST_WALKS:
        del walks[next(iter(walks))]
    walks[targets] = walk
