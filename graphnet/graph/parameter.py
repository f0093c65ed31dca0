"""The node whose value is learned, or kept between batches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn, cast
from weakref import WeakKeyDictionary

from torch import empty

from graphnet.errors import DtypeError, GraphError, ShapeError, shape_text
from graphnet.graph.entry import dtype_text
from graphnet.graph.flat_parameters import Arena
from graphnet.graph.location import user_line
from graphnet.graph.node import Node
from graphnet.graph.shape_inference import Spec

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph.graph import Graph
    from graphnet.graph.nodelist import NodeList


class Parameter(Node):
    """A node whose value persists from one forward pass to the next.

    It belongs to its module and may be in several graphs. Used twice in one graph, it is a shared
    weight, and its gradient is the sum over both uses. The given value is copied.

    Args:
        value: the initial value.
        name: its name in a graph; modules name their parameters by path.
        requires_grad: False for a buffer, a value that is kept but not learned.
        persistent: False for a buffer that stays out of `state_dict`, such as a constant.

    Raises:
        GraphError: the value is not a tensor, or a learned one is not to be persistent.
        DtypeError: it is to be learned, but its dtype is not floating-point.

    >>> from torch import empty
    >>> w = Parameter(empty(2).fill_(3), name="w")
    >>> w.top, w.grad
    (tensor([3., 3.]), None)

    Attributes:
        has_grad: True if there is a gradient.
        fresh: True if there is a gradient that no optimizer step has used yet.
    """

    __slots__ = (
        *("_grad", "_value", "arena", "offset", "updates"),  # its numbers, and where they lie
        *("_requires_grad", "fresh", "has_grad", "is_buffer", "label", "persistent"),
        "places",
    )
    kind = "parameter"
    shape: tuple[int, ...]

    def __init__(
        self,
        value: Tensor,
        *,
        name: str | None = None,
        requires_grad: bool = True,
        persistent: bool = True,
    ) -> None:
        if not isinstance(value, type(empty(0))):
            raise GraphError(f"A parameter is made from a tensor; got {type(value).__name__}.")
        if requires_grad and not value.dtype.is_floating_point:
            raise DtypeError(f"Only floating-point numbers can be learned; got {value.dtype}.")
        if requires_grad and not persistent:
            raise GraphError(
                "What is learned is part of the state: persistent=False is for buffers, which have "
                "requires_grad=False."
            )
        self.label, self.persistent = name, persistent
        self.places: WeakKeyDictionary[NodeList, tuple[int, str]] = WeakKeyDictionary()
        self.line = user_line()
        self.updates = 0
        self.is_buffer = not requires_grad
        self._requires_grad = requires_grad
        self.has_grad = self.fresh = False
        self._take_up(value.detach(), None)

    def _take_up(self, value: Tensor, grad: Tensor | None) -> None:
        """Move to an arena of its own, with this value and gradient."""
        self.shape = tuple(value.shape)
        self.spec = Spec((self.shape,), value.dtype)
        self._value, self._grad = value, grad
        self.move(Arena([value]), 0)
        self.arena.counted = self.arena.writes

    def move(self, arena: Arena, offset: int) -> None:
        """Copy value and gradient into another arena, and move there."""
        places = slice(offset, offset + self._value.numel())
        value, grad = arena.value[places].view(self.shape), arena.grad[places].view(self.shape)
        value.copy_(self._value)
        if self._grad is not None:
            grad.copy_(self._grad)
        self.arena, self.offset, self._value, self._grad = arena, offset, value, grad

    def leave(self) -> None:
        """Report to holders of views of the present arena that this parameter moves."""
        self.updates += self.arena.uncounted
        self.arena.count -= 1
        self.arena.changes += 1

    def to(  # type: ignore[override]  # a parameter changes, where a node is converted
        self, *args: Any, **kwargs: Any
    ) -> None:
        """Change dtype or device in place, with the arguments of `torch.Tensor.to`.

        Integers, such as counters, change their device only.

        Raises:
            DtypeError: a floating-point parameter is to hold integers.
        """
        value = self._value.to(*args, **kwargs)
        if not self.dtype.is_floating_point:
            value = self._value.to(value.device)
        elif not value.dtype.is_floating_point:
            raise DtypeError(f"parameter {self.name!r} needs a floating dtype; got {value.dtype}.")
        if value is not self._value:
            grad = None if self._grad is None else self._grad.to(value.device, value.dtype)
            self.leave()
            self._take_up(value, grad)

    def _missing(self, attribute: str) -> NoReturn:
        if attribute in ("data", "fill_", "copy_", "zero_", "normal_", "uniform_"):
            raise AttributeError(
                f"A parameter has no {attribute!r}. Its value is a tensor, parameter.top: change "
                "it in place, or assign to it: parameter.top = tensor."
            )
        super()._missing(attribute)

    if not TYPE_CHECKING:
        __getattr__ = _missing

    @property
    def top(self) -> Tensor:
        """The value; assigning copies."""
        return self._value

    @top.setter
    def top(self, value: Tensor) -> None:
        self._value.copy_(self._fitting(value))
        self.arena.counted += 1
        self.updates += 1

    @property
    def version(self) -> int:
        """How often the value was changed: by optimizers, by assignment, or in place."""
        arena = self.arena  # `arena.uncounted` inlined: each walk reads it for each parameter
        seen = arena.value._version if arena.counting else 0
        return self.updates - arena.counted + seen + arena.unseen

    @property
    def grad(self) -> Tensor | Any:
        """The gradient, in the shape of the value; None if there is none. Assigning copies.

        An optimizer's step uses it once: it can still be read, but the next step leaves the
        parameter alone until a backward pass or an assignment provides another.
        """
        return self._grad if self.has_grad else None

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            self.receive(self._fitting(value))
        elif self.has_grad:
            self.grad_memory.zero_()
            self.has_grad = self.fresh = False

    @property
    def grad_memory(self) -> Tensor:
        """The memory of the gradient: zeros if there is none."""
        return cast("Tensor", self._grad)

    def receive(self, grad: Tensor, accumulate: bool = False) -> None:
        """Set the gradient, or add to one that no step has used yet; a buffer takes none."""
        if self.is_buffer:
            return
        memory: Any = self._grad
        if accumulate:
            with self.arena.lock:  # a parameter may be in the graphs of several threads
                memory.add_(grad) if self.fresh else memory.copy_(grad)
                self.has_grad = self.fresh = True
        else:
            memory.copy_(grad)
            self.has_grad = self.fresh = True

    def received(self) -> None:
        """Record that a gradient was written to its memory."""
        self.has_grad = self.fresh = True

    @property
    def requires_grad(self) -> bool:
        """True if it is learned; set it to False to freeze the value, to True to unfreeze it.

        Raises:
            GraphError: it is a buffer, and is set to True.
        """
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, flag: bool) -> None:
        if flag and self.is_buffer:
            raise GraphError(
                f"{self.name!r} is a buffer: it was made with requires_grad=False, to be kept and "
                "not learned. Make a parameter without that option instead."
            )
        self._requires_grad = flag
        self.arena.changes += 1

    @property
    def only_graph(self) -> NodeList | None:
        """The one graph that holds it; None if there are several or none."""
        return next(iter(self.places)) if len(self.places) == 1 else None

    @property
    def graph(self) -> Graph:  # type: ignore[override]  # looked up in its places
        """The graph that holds it, if there is only one.

        Raises:
            GraphError: it is in several graphs, or in none.
        """
        if (graph := self.only_graph) is None:
            raise GraphError(
                f"parameter {self.name!r} is in {len(self.places)} graphs; "
                "ask one of them: graph.index(parameter)."
            )
        return cast("Graph", graph)

    @property
    def index(self) -> int:  # type: ignore[override]  # the same
        """The index in its graph, if there is only one."""
        return self.places[self.graph][0]

    @property
    def name(self) -> str:  # type: ignore[override]  # the same
        """Its name in its graph; the given name if there is no graph, or several."""
        if (graph := self.only_graph) is not None:
            return self.places[graph][1]
        return self.label or next((name for _, name in self.places.values()), "parameter")

    def __str__(self) -> str:
        place = f"{self.places[graph][0]} " if (graph := self.only_graph) is not None else ""
        return f"node {place}{self.name!r}"

    def __repr__(self) -> str:
        return f"<parameter {self.name!r} {shape_text(self.shape)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        flags = (self.is_buffer, self._requires_grad, self.persistent)
        return _rebuild, (self._value.clone(), self.label, *flags)

    def _fitting(self, value: Tensor) -> Tensor:
        """A tensor that may be copied into this parameter, without its autograd history."""
        if not isinstance(value, type(empty(0))):
            raise GraphError(f"parameter {self.name!r} takes tensors; got {type(value).__name__}.")
        if tuple(value.shape) != self.shape:
            raise ShapeError(
                f"parameter {self.name!r} keeps the shape {shape_text(self.shape)}; "
                f"got {shape_text(tuple(value.shape))}. Make a new parameter instead."
            )
        if value.dtype is not self.dtype:
            raise DtypeError(
                f"parameter {self.name!r} holds {dtype_text(self.dtype)}; "
                f"got {dtype_text(value.dtype)}. Convert one: tensor.to(...) or module.to(...)."
            )
        return value.detach()


def clear_gradients(parameters: Iterable[Parameter], set_to_none: bool) -> None:
    """Drop gradients, or set existing ones to zero, which a step still applies."""
    for parameter in parameters:
        grad = None if set_to_none else parameter.grad
        parameter.grad = None if grad is None else grad.new_zeros(grad.shape)


def _rebuild(
    value: Tensor, name: str | None, is_buffer: bool, learned: bool, persistent: bool
) -> Parameter:
    """A copy of a parameter for copy.deepcopy and pickle: in no graph, in an arena of its own."""
    parameter = Parameter(value, name=name, requires_grad=not is_buffer, persistent=persistent)
    parameter.requires_grad = learned
    return parameter
