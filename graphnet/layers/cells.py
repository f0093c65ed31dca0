"""One step of a recurrent network: a new state from an input and the previous state.

`RNNStep`, `LSTMStep` and `GRUStep` are the formulas. A cell takes one step; the layers in
`recurrent` repeat the same step along a sequence.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast, overload

from torch import empty

from graphnet import init, ops
from graphnet.errors import GraphError, ShapeError, shape_text
from graphnet.graph import Node, Parameter
from graphnet.layers.module import Module
from graphnet.ops.recurrent_steps import KINDS, gru_step, lstm_step
from graphnet.validation import require_choice, require_counts

if TYPE_CHECKING:
    from torch import Tensor, device, dtype

    from graphnet.layers.signatures import Builds, R_co

    Memory = tuple[Node, Node]
    Memories = tuple[Tensor, Tensor]

S = TypeVar("S", bound=Node | tuple[Node, Node])
"""The state that a caller gives and gets: the node h, or (h, c) for an LSTM."""

State = tuple[Node, ...]
"""The state of a recurrent network: (h,), or (h, c) for an LSTM."""

NONLINEARITIES = ("tanh", "relu")


class Recurrent(Module):
    """The base class of cells and layers: the weights of a step, the step, and its first state.

    A step starts from two affine maps, one of the input and one of the hidden state. Each returns
    `hidden_size` values for each gate.
    """

    kind: Any
    """Its formula in `graphnet.ops.recurrent_steps`, where a scan finds it too."""
    gates: ClassVar[int]
    states: ClassVar[int] = 1
    input_size: int
    hidden_size: int
    proj_size: int = 0
    """The size of what an LSTM projects h to; 0 if it does not."""

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """The last size of each part of the state: of h, and for an LSTM of c."""
        return (self.proj_size or self.hidden_size, self.hidden_size)[: self.states]

    def step(self, mapped: Node, recurrent: Node, state: State) -> State:
        """The next state, from the maps of the input and of the hidden state."""
        raise GraphError(f"{type(self).__name__} has no step: a recurrent module must define one.")

    def advance(self, x: Node, state: State, suffix: str = "") -> State:
        """The next state, from an input and the weights whose names end in `suffix`."""
        mapped = ops.linear(x, *self._affine("ih", suffix))
        recurrent = ops.linear(state[0], *self._affine("hh", suffix))
        after = self.step(mapped, recurrent, state)
        if not self.proj_size:
            return after
        return (ops.linear(after[0], getattr(self, f"weight_hr{suffix}")), *after[1:])

    def _affine(self, kind: str, suffix: str) -> tuple[Parameter, Parameter | None]:
        """The weight and the bias of the map of the input, "ih", or of the hidden state, "hh"."""
        return getattr(self, f"weight_{kind}{suffix}"), getattr(self, f"bias_{kind}{suffix}")

    def _add_weights(self, suffix: str, inputs: int, bias: bool, **where: Any) -> None:
        """Make the weights of one step in torch's order, uniform within 1/√hidden_size."""
        rows, bound = self.gates * self.hidden_size, 1 / sqrt(self.hidden_size)
        for name, shape in {
            "weight_ih": (rows, inputs),
            "weight_hh": (rows, self.state_sizes[0]),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
            "weight_hr": (self.proj_size, self.hidden_size),
        }.items():
            if 0 in shape:
                continue
            absent = name.startswith("bias") and not bias
            value = None if absent else init.uniform_(empty(shape, **where), -bound, bound)
            setattr(self, name + suffix, None if value is None else Parameter(value))

    def _zeros(self, x: Node) -> State:
        """A state of zeros for an input of shape (..., input_size); equal parts are one node."""
        column = ops.zeros_like(ops.narrow(x, -1, 0, 1))
        made = {
            size: ops.expand(column, *(-1,) * (x.ndim - 1), size)
            for size in dict.fromkeys(self.state_sizes)
        }
        return tuple(made[size] for size in self.state_sizes)

    def _parts(self, state: Any, shape: tuple[int | None, ...]) -> State | None:
        """The parts of a given state, each in this shape but for the last size; None without one.

        Raises:
            GraphError: it is not a node or, for an LSTM, not a tuple of two.
            ShapeError: a part has a different shape.
        """
        if state is None:
            return None
        several = self.states > 1 and isinstance(state, tuple | list)
        parts = tuple(state) if several else (state,)
        if len(parts) != self.states or not all(isinstance(part, Node) for part in parts):
            expected = "the node h" if self.states == 1 else "a tuple of nodes, (h, c)"
            kinds = ", ".join(type(part).__name__ for part in parts)
            raise GraphError(f"{type(self).__name__}: the state must be {expected}; got ({kinds}).")
        for part, size in zip(parts, self.state_sizes, strict=True):
            expected_shape = (*shape[:-1], size)
            if part.shape != expected_shape:
                raise ShapeError(
                    f"{type(self).__name__}: for this input a state must have the shape "
                    f"{shape_text(expected_shape)}; got {shape_text(part.shape)}."
                )
        return parts

    def _require_input(self, x: Node, ndims: tuple[int, int]) -> None:
        """Refuse an input with a different number of dimensions or a different last size.

        Raises:
            ShapeError: it does not fit.
        """
        if x.ndim not in ndims or x.shape[-1] != self.input_size:
            raise ShapeError(
                f"{type(self).__name__}: the input must have {ndims[0]} dimensions, or {ndims[1]} "
                f"with a batch, and the last size {self.input_size}; got {shape_text(x.shape)}."
            )

    @overload  # type: ignore[override]  # the state has a name, and may be left out
    def __call__(self: Builds[..., R_co], input: Node, hx: Any = None, **named: Any) -> R_co: ...
    @overload
    def __call__(
        self: Builds[..., Node], input: Tensor, hx: Any = None, **named: Any
    ) -> Tensor: ...
    @overload
    def __call__(
        self: Builds[..., Memory], input: Tensor, hx: Any = None, **named: Any
    ) -> Memories: ...
    @overload
    def __call__(
        self: Builds[..., tuple[Node, Memory]], input: Tensor, hx: Any = None
    ) -> tuple[Tensor, Memories]: ...
    def __call__(self, input: Any, hx: Any = None, **named: Any) -> Any:
        """Append to the graph of an input and a state, or compute for tensors."""
        return super().__call__(input, hx, **named)

    @overload  # type: ignore[override]  # the same
    def forward(self: Builds[..., Node], input: Tensor, hx: Any = None, **named: Any) -> Tensor: ...
    @overload
    def forward(
        self: Builds[..., Memory], input: Tensor, hx: Any = None, **named: Any
    ) -> Memories: ...
    @overload
    def forward(
        self: Builds[..., tuple[Node, Memory]], input: Tensor, hx: Any = None
    ) -> tuple[Tensor, Memories]: ...
    def forward(self, input: Any, hx: Any = None, **named: Any) -> Any:
        """Compute the output for an input and an optional state."""
        state = tuple(hx) if isinstance(hx, list) else hx
        return super().forward(input, *(() if state is None else (state,)), **named)


class RNNStep:
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu.  Source: Elman (1990)."""

    gates: ClassVar[int] = 1
    nonlinearity: str

    def step(self, mapped: Node, recurrent: Node, state: State) -> State:
        """The next hidden state."""
        return KINDS[self.kind].step(mapped, recurrent, state)

    @property
    def kind(self) -> str:
        """Its formula in `graphnet.ops.recurrent_steps`."""
        return self.nonlinearity

    def _set_nonlinearity(self, name: str) -> None:
        self.nonlinearity = require_choice("nonlinearity", name, NONLINEARITIES)


class LSTMStep:
    """c' = f c + i g and h' = o tanh c', with gates i, f, o = σ(...) and g = tanh(...).

    Source: Hochreiter and Schmidhuber (1997); the forget gate f, Gers et al. (2000).
    """

    kind: ClassVar[str] = "lstm"
    gates: ClassVar[int] = 4
    states: ClassVar[int] = 2

    def step(self, mapped: Node, recurrent: Node, state: State) -> State:
        """The next hidden state and cell state."""
        return lstm_step(mapped, recurrent, state)


class GRUStep:
    """h' = (1 - z) n + z h, with gates r, z = σ(...) and n = tanh(x_n + r h_n).

    Source: Cho et al. (2014), in the form of cuDNN, where r acts on the mapped hidden state.
    """

    kind: ClassVar[str] = "gru"
    gates: ClassVar[int] = 3

    def step(self, mapped: Node, recurrent: Node, state: State) -> State:
        """The next hidden state."""
        return gru_step(mapped, recurrent, state)


class RecurrentCell(Recurrent, Generic[S]):
    """One step with its own weights: weight_ih, weight_hh, bias_ih, bias_hh."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: device | str | None = None,
        dtype: dtype | None = None,
    ) -> None:
        require_counts(ShapeError, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        self._add_weights("", input_size, bias, device=device, dtype=dtype)

    def build(self, x: Node, state: S | None = None) -> S:
        """Append one step; the state defaults to zeros."""
        self._require_input(x, (1, 2))
        parts = self._parts(state, (*x.shape[:-1], self.hidden_size))
        zeros = self._zeros(x)
        # reshape_as changes nothing, but refuses a state fed for another batch size
        pairs = zip(parts or (), zeros, strict=False)
        start = tuple(part.reshape_as(zero) for part, zero in pairs)
        result = self.advance(x, start or zeros)
        return cast("S", result if self.states > 1 else result[0])

    def extra_repr(self) -> str:
        """The sizes, and the settings that differ from their defaults."""
        sizes = f"{self.input_size}, {self.hidden_size}"
        return sizes if self.bias else f"{sizes}, bias=False"


class RNNCell(RNNStep, RecurrentCell[Node]):
    """One step of an Elman network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu.

    Shapes: x (batch, input_size), h (batch, hidden_size) -> (batch, hidden_size); the batch may be
    left out. Names, shapes and initial values of the weights are torch's.

    Args:
        input_size: the last size of the input, 1 or more.
        hidden_size: the last size of the state, 1 or more.
        bias: False to leave the biases out.
        nonlinearity: "tanh" or "relu".
        device: the device of the parameters.
        dtype: the dtype of the parameters.

    Raises:
        ShapeError: a size is not an integer of 1 or more.
        GraphError: the nonlinearity is unknown.

    >>> from torch import empty
    >>> RNNCell(2, 3).forward(empty(5, 2).fill_(0)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: device | str | None = None,
        dtype: dtype | None = None,
    ) -> None:
        self._set_nonlinearity(nonlinearity)
        super().__init__(input_size, hidden_size, bias, device=device, dtype=dtype)


class LSTMCell(LSTMStep, RecurrentCell[tuple[Node, Node]]):
    """One step of an LSTM: c' = f c + i g and h' = o tanh c', where i, f, g, o come from x and h.

    Shapes: x (batch, input_size), state (h, c) of (batch, hidden_size) each -> (h', c'); the batch
    may be left out. Names, shapes, order of gates and initial values of the weights are torch's.

    Raises:
        ShapeError: a size is not an integer of 1 or more.

    >>> from torch import empty
    >>> h, c = LSTMCell(2, 3).forward(empty(5, 2).fill_(0))
    >>> c.shape
    torch.Size([5, 3])
    """


class GRUCell(GRUStep, RecurrentCell[Node]):
    """One step of a GRU: h' = (1 - z) n + z h, where z and n come from x and h.

    Shapes: x (batch, input_size), h (batch, hidden_size) -> (batch, hidden_size); the batch may be
    left out. Names, shapes, order of gates and initial values of the weights are torch's.

    Raises:
        ShapeError: a size is not an integer of 1 or more.

    >>> from torch import empty
    >>> GRUCell(2, 3).forward(empty(5, 2).fill_(0)).shape
    torch.Size([5, 3])
    """
