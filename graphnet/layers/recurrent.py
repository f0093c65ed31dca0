"""Recurrent layers: the step of a cell, repeated along a sequence.

If the length of the sequence is known when the graph is built, the list holds every step: the
network is unrolled. Else each layer and direction is one operation: see `scanned`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, cast

from graphnet import ops
from graphnet.errors import DtypeError, ShapeError, shape_text
from graphnet.graph import Node
from graphnet.layers.cells import GRUStep, LSTMStep, Recurrent, RNNStep, S, State
from graphnet.layers.scanned import scan
from graphnet.validation import require_counts, require_integer, require_range

if TYPE_CHECKING:
    from torch import device, dtype


class RecurrentLayer(Recurrent, Generic[S]):
    """Steps along a sequence, in one or both directions, in one layer or several.

    Arguments, shapes, and the names, order and initial values of the weights are torch's.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        device: device | str | None = None,
        dtype: dtype | None = None,
    ) -> None:
        require_counts(
            ShapeError, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers
        )
        require_range("dropout", dropout, high=1)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, dropout
        self.bidirectional = bidirectional
        self.batch_dim = 0 if batch_first else 1
        inputs = input_size
        for layer in range(num_layers):
            for suffix in self.suffixes(layer):
                self._add_weights(suffix, inputs, bias, device=device, dtype=dtype)
            inputs = self.state_sizes[0] * len(self.suffixes(layer))

    def suffixes(self, layer: int) -> list[str]:
        """The suffix of the names of a layer's weights, for each direction."""
        return [f"_l{layer}", f"_l{layer}_reverse"][: 1 + self.bidirectional]

    def build(
        self, x: Node, state: S | None = None, *, lengths: Node | None = None
    ) -> tuple[Node, S]:
        """Append the steps; the initial state defaults to zeros.

        Args:
            x: the sequences, padded to the longest if there are lengths.
            state: the initial state.
            lengths: how many steps of each sequence count, integers of shape (batch). The rest is
                not read: there outputs are zeros, and the last state is that of the last step that
                counts, as for a packed sequence of torch.

        Returns:
            The output of the last layer at each step, and the last state of every layer.

        Raises:
            ShapeError: the input, the state or the lengths do not fit, or there is no step.
        """
        self._require_input(x, (2, 3))
        time = 1 if self.batch_first and x.ndim == 3 else 0
        self._refuse_no_step(x, time)
        if lengths is not None:
            self._require_lengths(x, lengths)
        starts = self._starts(ops.select(x, time, 0), state)
        if x.shape[time] is None:
            found, last = scan(self, x, time, starts, lengths)
            return found, cast("S", last if self.states > 1 else last[0])
        steps = list(ops.unbind(x, time))
        counted = None if lengths is None else _counted(lengths, len(steps))
        if counted is not None:
            pairs = zip(counted, steps, strict=True)
            steps = [ops.where(counts, step, 0.0) for counts, step in pairs]
        ends: list[State] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                steps = [ops.dropout(step, self.dropout) for step in steps]
            directions = []
            for suffix in self.suffixes(layer):
                outputs, end = self._run(steps, starts[len(ends)], suffix, counted)
                directions.append(outputs)
                ends.append(end)
            steps = [_joined(outputs) for outputs in zip(*directions, strict=True)]
        last = tuple(ops.stack(parts, 0) for parts in zip(*ends, strict=True))
        return ops.stack(steps, time), cast("S", last if self.states > 1 else last[0])

    def _run(
        self, steps: list[Node], state: State, suffix: str, counted: list[Node] | None
    ) -> tuple[list[Node], State]:
        """The hidden state after each step of one direction, and the last state.

        Where a step does not count, the state stays, and the output is 0.
        """
        order = -1 if suffix.endswith("reverse") else 1
        outputs = []
        for place in range(len(steps))[::order]:
            after = self.advance(steps[place], state, suffix)
            if counted is None:
                state = after
                outputs.append(state[0])
                continue
            pairs = zip(after, state, strict=True)
            state = tuple(ops.where(counted[place], new, old) for new, old in pairs)
            outputs.append(ops.where(counted[place], state[0], 0.0))
        return outputs[::order], state

    def _require_lengths(self, x: Node, lengths: Node) -> None:
        """Refuse lengths that are not one integer for each sequence.

        Raises:
            ShapeError: there is not one for each sequence.
            DtypeError: they are not integers.
        """
        batch = x.shape[0 if self.batch_first else 1] if x.ndim == 3 else None
        known = {batch, *lengths.shape} - {None}
        if x.ndim != 3 or lengths.ndim != 1 or len(known) > 1:
            raise ShapeError(
                f"{type(self).__name__}: lengths must be one integer for each sequence of a batch; "
                f"got {shape_text(lengths.shape)} for {shape_text(x.shape)}."
            )
        if lengths.dtype.is_floating_point:
            raise DtypeError(f"{type(self).__name__}: lengths are integers; got {lengths.dtype}.")

    def _starts(self, first: Node, state: Any) -> list[State]:
        """The initial state for each layer and direction, zeros if none is given."""
        count = self.num_layers * (1 + self.bidirectional)
        parts = self._parts(state, (count, *first.shape[:-1], self.hidden_size))
        zeros = self._zeros(first)
        if parts is None:
            return [zeros] * count
        # reshape_as changes nothing, but refuses a state fed for another batch size
        return [
            tuple(
                ops.select(part, 0, place).reshape_as(zero)
                for part, zero in zip(parts, zeros, strict=True)
            )
            for place in range(count)
        ]

    def _refuse_no_step(self, x: Node, time: int) -> None:
        """Refuse an empty sequence."""
        if x.shape[time] == 0:
            raise ShapeError(
                f"{type(self).__name__}: the length of the sequence, dimension {time}, must be 1 "
                f"or more; got {shape_text(x.shape)}."
            )

    def extra_repr(self) -> str:
        """The sizes, and the settings that differ from their defaults."""
        usual = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0}
        usual |= {"bidirectional": False, "proj_size": 0}
        chosen = {name: getattr(self, name) for name in usual if getattr(self, name) != usual[name]}
        sizes = f"{self.input_size}, {self.hidden_size}"
        return ", ".join([sizes, *(f"{name}={value}" for name, value in chosen.items())])


def _counted(lengths: Node, steps: int) -> list[Node]:
    """For each step, whether it counts in each sequence.  Shape (batch, 1)."""
    return [ops.unsqueeze(ops.gt(lengths, place), -1) for place in range(steps)]


def _joined(outputs: tuple[Node, ...]) -> Node:
    """The outputs of both directions concatenated, or the only output itself."""
    return ops.cat(outputs, -1) if len(outputs) > 1 else outputs[0]


class RNN(RNNStep, RecurrentLayer[Node]):
    """An Elman network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh) at each step, or relu.

    `output, h_n = rnn(x, h_0)`, where h_0 may be left out. `rnn(x, lengths=n)` reads only the
    first n steps of each sequence of a padded batch: n holds integers, of shape (batch).
    Shapes: x (length, batch, input_size), h_0 and h_n (layers · directions, batch, hidden_size) ->
    output (length, batch, directions · hidden_size); with `batch_first`, x and the output start
    with the batch. The batch may be left out. Both may be open, `Input((None, None, 8))`: the steps
    of a length that is known when the graph is built are unrolled, else a scan is one operation.

    Args:
        input_size: the last size of the input, 1 or more.
        hidden_size: the last size of the state, 1 or more.
        num_layers: the number of layers; each after the first reads the output of the one below.
        nonlinearity: "tanh" or "relu".
        bias: False to leave the biases out.
        batch_first: True for input and output of shape (batch, length, ...).
        dropout: the probability of dropping a value between two layers in training.
        bidirectional: True to read the sequence from its end as well.
        device: the device of the parameters.
        dtype: the dtype of the parameters.

    Raises:
        ShapeError: a size is not an integer of 1 or more.
        RangeError: the dropout is not a probability.
        GraphError: the nonlinearity is unknown.

    >>> from torch import empty
    >>> output, h_n = RNN(2, 3).forward(empty(7, 5, 2).fill_(0))
    >>> output.shape, h_n.shape
    (torch.Size([7, 5, 3]), torch.Size([1, 5, 3]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        device: device | str | None = None,
        dtype: dtype | None = None,
    ) -> None:
        self._set_nonlinearity(nonlinearity)
        rest = (num_layers, bias, batch_first, dropout, bidirectional)
        super().__init__(input_size, hidden_size, *rest, device=device, dtype=dtype)


class LSTM(LSTMStep, RecurrentLayer[tuple[Node, Node]]):
    """A long short-term memory: c' = f c + i g and h' = o tanh c' at each step.

    `output, (h_n, c_n) = lstm(x, (h_0, c_0))`, where the state may be left out. Arguments and
    shapes are those of `RNN`, without the nonlinearity; c is like h. Gates are ordered i, f, g, o.

    With a `proj_size` each h is mapped to that size by a weight without bias: `weight_hr`.
    Source of the projection: Sak et al., Long short-term memory based architectures (2014).

    >>> from torch import empty
    >>> output, (h_n, c_n) = LSTM(2, 3, bidirectional=True).forward(empty(7, 5, 2).fill_(0))
    >>> output.shape, c_n.shape
    (torch.Size([7, 5, 6]), torch.Size([2, 5, 3]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        device: device | str | None = None,
        dtype: dtype | None = None,
    ) -> None:
        if require_integer("proj_size", proj_size, 0):
            require_range("proj_size", proj_size, below=hidden_size)
        self.proj_size = proj_size
        rest = (num_layers, bias, batch_first, dropout, bidirectional)
        super().__init__(input_size, hidden_size, *rest, device=device, dtype=dtype)


class GRU(GRUStep, RecurrentLayer[Node]):
    """A gated recurrent unit: h' = (1 - z) n + z h at each step.

    `output, h_n = gru(x, h_0)`, where h_0 may be left out. Arguments and shapes are those of `RNN`,
    without the nonlinearity. The gates are ordered r, z, n.

    >>> from torch import empty
    >>> output, h_n = GRU(2, 3, num_layers=2, batch_first=True).forward(empty(5, 7, 2).fill_(0))
    >>> output.shape, h_n.shape
    (torch.Size([5, 7, 3]), torch.Size([2, 5, 3]))
    """
