"""The two kinds of node that a graph owns: its inputs and its operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet.errors import DtypeError, ShapeError
from graphnet.graph.entry import graph_of
from graphnet.graph.location import user_line
from graphnet.graph.node import Node
from graphnet.graph.shape_inference import Spec, input_trials
from graphnet.op import TRAINING

if TYPE_CHECKING:
    from torch import dtype

    from graphnet.graph.nodelist import NodeList
    from graphnet.op import Op


class Literal:
    """A number in the place of a node: the 1 of `1 - x`."""

    __slots__ = ("top",)

    def __init__(self, value: float) -> None:
        self.top = value


class Mode(Literal):
    """The training mode that an operation follows: its owner's, at the time of a walk.

    Attributes:
        owner: the module that appended the operation, or the graph if no module did.
        walked: the mode of the last forward walk, which the backward walk follows.
    """

    __slots__ = ("owner", "walked")

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.walked = self.top

    @property
    def top(self) -> bool:  # type: ignore[override]  # looked up, not stored
        """True in training."""
        return bool(self.owner.training)

    def __repr__(self) -> str:
        return repr(TRAINING)


class Input(Node):
    """A node that is fed a tensor at each forward pass.

    Args:
        shape: the sizes; None for a size that the fed tensor decides.
        name: its name in the graph and in `graph.forward(name=tensor)`.
        dtype: the dtype to be fed; torch's default dtype if None.
        requires_grad: True to compute its gradient as well.
        graph: the graph to append to; that of the `with` block if None.

    Raises:
        GraphError: there is no graph, or the name is taken.
        ShapeError: the shape is not a tuple of sizes.
        DtypeError: the dtype is not torch's, or integers are to have a gradient.

    >>> import graphnet as gn
    >>> with gn.Graph() as graph:
    ...     x = gn.Input((None, 2), name="x")
    >>> x
    <input 0 'x' (?, 2)>
    """

    __slots__ = ()
    kind = "input"

    def __init__(
        self,
        shape: tuple[int | None, ...],
        *,
        name: str,
        dtype: dtype | None = None,
        requires_grad: bool = False,
        graph: NodeList | None = None,
    ) -> None:
        shape = _checked_shape(shape, name)
        dtype = empty(0).dtype if dtype is None else dtype
        if not isinstance(dtype, type(empty(0).dtype)):
            raise DtypeError(f"input {name!r}: dtype must be one of torch's; got {dtype!r}.")
        if requires_grad and not dtype.is_floating_point:
            raise DtypeError(f"input {name!r}: only a floating dtype has gradients; got {dtype}.")
        self.shape = shape
        self.spec = Spec(input_trials(self.shape), dtype)
        self.requires_grad = requires_grad
        self.grad = None
        self.line = user_line()
        (graph or graph_of(())).add(self, name)

    @property
    def version(self) -> object:
        """A value that changes with the tensor, or when it is changed in place."""
        return id(self.top), 0 if self.top.is_inference() else self.top._version


def _checked_shape(shape: Any, name: str) -> tuple[int | None, ...]:
    """The shape of an input, checked."""
    if not isinstance(shape, tuple | list):
        raise ShapeError(f"input {name!r}: the shape must be a tuple, such as (3,); got {shape!r}.")
    for size in shape:
        if size is not None and (not isinstance(size, int) or size < 0):
            raise ShapeError(
                f"input {name!r}: a size must be an integer of 0 or more, or None for any; "
                f"got {size!r}."
            )
    return tuple(shape)


class Operation(Node):
    """One use of an op in a graph: a rule and the nodes it is applied to.

    Attributes:
        op: the rule.
        sources: what it is applied to: nodes and numbers, in order.
        derived: True if `graph.gradients` appended it.

    Args:
        line: where the user added it; None to find that line.
    """

    __slots__ = ("derived", "op", "sources")
    kind = "operation"

    def __init__(
        self,
        op: Op,
        sources: tuple[Node | Literal, ...],
        spec: Spec,
        derived: bool = False,
        line: str | None = None,
    ) -> None:
        self.op = op
        self.sources = sources
        self.spec = spec
        self.shape = spec.shape
        self.grad = None
        self.derived = derived
        self.requires_grad = spec.dtype.is_floating_point
        self.line = user_line() if line is None else line

    @property
    def args(self) -> tuple[Any, ...]:
        """What the op is applied to: nodes and numbers, in order."""
        return tuple(map(as_argument, self.sources))

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The nodes among the arguments."""
        return tuple([source for source in self.sources if isinstance(source, Node)])


def as_argument(source: Node | Literal) -> Any:
    """A source as an op takes it: a node, a number, or a mode, which still follows its owner."""
    is_number = isinstance(source, Literal) and not isinstance(source, Mode)
    return source.top if is_number else source


def spec_of(source: Node | Literal) -> Any:
    """What is known about an argument before anything is computed: see `trials.infer`."""
    return source.spec if isinstance(source, Node) else (type(source.top), source.top)
