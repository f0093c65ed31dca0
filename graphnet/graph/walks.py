"""The two walks over the list: forward fills each `top` in order, backward each `grad` in reverse.

A pass is prepared once for the requested nodes, and then run as often as needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from graphnet.errors import DtypeError, FeedError, GraphError, ShapeError, StateError, shape_text
from graphnet.graph.derivatives import refuse_non_scalar
from graphnet.graph.edges import Use, uses
from graphnet.graph.entry import dtype_text
from graphnet.graph.error_messages import explain_backward, explain_forward
from graphnet.graph.nodes import Input, Mode, Operation
from graphnet.graph.parameter import Parameter

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph.node import Node


class Versions(NamedTuple):
    """How often each value had been written when a forward walk ended.

    Attributes:
        leaves: the inputs and parameters that were read.
        versions: the version of each of these.
        operations: the operations that were computed.
        writes: the writes to the value of each of these; empty if they are not counted.
    """

    leaves: Sequence[Node]
    versions: list[object]
    operations: Sequence[Operation]
    writes: list[int]


class ForwardPass:
    """The walk that computes some nodes: all operations among their ancestors, in order."""

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
        """Compute every `top`, and return the versions of these values and of their leaves."""
        for _ in self.walk(feed, stops=False):
            pass
        versions = [leaf.version for leaf in self.leaves]
        return Versions(self.leaves, versions, self.operations, written(self.operations))

    def walk(self, feed: Mapping[Input, Tensor], stops: bool = True) -> Iterator[Node]:
        """Fill the `top` of each input and operation, in order, and stop after each if asked to.

        Values that this walk does not compute are dropped; after an error, all values are.
        """
        for node in self.changing:
            node.grad = None
        for node in self.idle:
            node.forget()
        for mode in self.modes:
            mode.walked = mode.top  # for the backward walk
        operation = None
        try:
            for place, tensor in feed.items():
                place.top = tensor
                if stops:
                    yield place
            for operation in self.operations:
                operation.top = operation.op.forward(*[each.top for each in operation.sources])
                if stops:
                    yield operation
        except GeneratorExit:  # nobody asks for more
            raise
        except BaseException as error:
            explanation = explain_forward(operation, error)
            for node in self.changing:
                node.forget()
            raise explanation from (None if isinstance(error, GraphError) else error)


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
        """False once `requires_grad` of a parameter or an input has changed."""
        return self.learned == [leaf.requires_grad for leaf in self.leaves]

    def run(self, seeds: Sequence[Tensor], accumulate: bool) -> None:
        """Fill every `grad`; those of parameters change only after the whole walk."""
        for _ in self.walk({}, seeds, accumulate):
            pass

    def walk(
        self,
        sums: dict[Node, Tensor],
        seeds: Sequence[Tensor],
        accumulate: bool = False,
        parts: dict[Node, list[tuple[Node, Tensor]]] | None = None,
    ) -> Iterator[Operation]:
        """Fill the `grad` of each operation in reverse order, and stop after each for its parts.

        Args:
            sums: filled with the gradient of each node that one reaches.
            seeds: the gradients to start from, one for each target.
            accumulate: whether gradients of parameters and inputs are added to earlier ones.
            parts: filled with what each operation passes to each of its inputs; None to go on to
                the end without a stop.
        """
        for node in self.operations if accumulate else self.changing:
            node.grad = None
        # sums are not made in place: other nodes may share the tensor
        for target, seed in zip(self.targets, seeds, strict=True):
            sums[target] = sums[target] + seed if target in sums else seed
        use: Use | None = None
        try:
            for operation, inputs in self.steps:
                if operation not in sums:
                    continue
                operation.grad = sums[operation]
                for use in inputs:
                    grad, source = use.gradient(), use.source
                    sums[source] = sums[source] + grad if source in sums else grad
                    if parts is not None:
                        parts.setdefault(operation, []).append((source, grad))
                if parts is not None:
                    yield operation
        except GeneratorExit:  # nobody asks for more
            raise
        except BaseException as error:
            for node in self.changing:
                node.grad = None
            explain_backward(use, error)
            raise
        self._commit(sums, accumulate)

    def _commit(self, sums: Mapping[Node, Tensor], accumulate: bool) -> None:
        """Write the sums over all uses into the gradients of inputs and parameters."""
        for leaf in self.inputs:
            if leaf in sums:
                before = leaf.grad if accumulate else None
                leaf.grad = sums[leaf] if before is None else before + sums[leaf]
        for parameter in self.parameters:
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
    """How often the value of each operation was written; empty in inference mode."""
    try:
        return [operation.top._version for operation in operations]
    except RuntimeError:  # tensors of inference mode do not count
        return []


def refuse_stale(leaves: Sequence[Node], versions: Versions) -> None:
    """Refuse a backward walk over values that have changed since the forward walk.

    Raises:
        StateError: a fed tensor, a parameter or the value of an operation has changed since.
    """
    if versions.versions != [leaf.version for leaf in versions.leaves]:
        _refuse_changed(leaves, versions)
    if versions.writes and versions.writes != written(versions.operations):
        _refuse_written(versions)


def _refuse_changed(leaves: Sequence[Node], versions: Versions) -> None:
    """Refuse if one of these inputs and parameters has changed."""
    known = dict(zip(versions.leaves, versions.versions, strict=True))
    for leaf in leaves:
        if leaf.version != known.get(leaf, leaf.version):
            raise StateError(
                f"{leaf} was changed after the forward pass, in place or by an optimizer's step, "
                "so the values of the graph are out of date. Run graph.forward again first."
            )


def _refuse_written(versions: Versions) -> None:
    """Refuse if a value was written; views of parameters change with their whole arena."""
    arenas = {
        leaf.arena.value.untyped_storage().data_ptr()
        for leaf in versions.leaves
        if isinstance(leaf, Parameter)
    }
    pairs = zip(versions.operations, versions.writes, strict=True)
    for node, writes in pairs:
        if node.top._version != writes and node.top.untyped_storage().data_ptr() not in arenas:
            raise StateError(
                f"The value of {node} was written to after the forward pass, so its gradient would "
                "be wrong. Write to a copy, node.top.clone(), or run graph.forward again first."
            )


def seed(target: Node, grad: Tensor | None) -> Tensor:
    """The gradient to start from: 1 for a scalar, else the one given.

    Raises:
        StateError: the target has no value yet.
        GraphError: the target is not a scalar, and no gradient is given.
        DtypeError: the target holds integers.
        FeedError: the gradient is not a tensor.
        ShapeError: the gradient differs in shape from the target.
    """
    top = target.top
    if not top.dtype.is_floating_point:
        raise DtypeError(
            f"{target} holds {dtype_text(top.dtype)}; only floating-point numbers have gradients."
        )
    if grad is None:
        refuse_non_scalar(target, tuple(top.shape))
        return top.new_ones(())
    if not isinstance(grad, type(top)):
        raise FeedError(
            f"grad must be a tensor in the shape of {target}, or left out for a scalar; "
            f"got {type(grad).__name__}."
        )
    if grad.shape != top.shape or grad.dtype is not top.dtype:
        raise (ShapeError if grad.shape != top.shape else DtypeError)(
            f"grad must have the shape and dtype of {target}, the node to differentiate, "
            f"{shape_text(tuple(top.shape))} {dtype_text(top.dtype)}; got "
            f"{shape_text(tuple(grad.shape))} {dtype_text(grad.dtype)}."
        )
    return grad.detach()


def one_each(grad: Any, targets: Sequence[Node]) -> Sequence[Any]:
    """A gradient for each target, or None for those without."""
    if grad is None:
        return [None] * len(targets)
    grads = grad if isinstance(grad, tuple | list) else [grad]
    if len(grads) != len(targets):
        raise GraphError(
            f"{len(targets)} nodes to differentiate need as many gradients; got {len(grads)}."
        )
    return grads


_MOST_KEPT = 16  # each as long as its list


def keep_few(kept: dict[Any, Any], key: object, made: object) -> None:
    """Keep a walk or a program that was made for a key, and drop the oldest of too many."""
    if len(kept) >= _MOST_KEPT:
        del kept[next(iter(kept))]
    kept[key] = made
