"""Rules for recurrent cells and layers: the steps of graphnet's own, with given weights."""

from __future__ import annotations

from typing import Any

from graphnet.interop.rules.rule import rule, unsupported
from graphnet.interop.steps import FOLLOW
from graphnet.layers.cells import GRUCell, LSTMCell, RNNCell
from graphnet.layers.recurrent import GRU, LSTM, RNN

_LAYERS: dict[str, Any] = {"lstm": LSTM, "gru": GRU, "rnn_tanh": RNN, "rnn_relu": RNN}


@rule("lstm.input", "gru.input", "rnn_tanh.input", "rnn_relu.input")
def layer(
    step: Any,
    x: Any,
    state: Any,
    weights: Any,
    bias: bool,
    num_layers: int,
    dropout: float,
    training: Any,
    bidirectional: bool,
    batch_first: bool,
) -> Any:
    """A recurrent layer: its output, and its last state."""
    if dropout and training is True:
        raise unsupported("recurrent layer that drops values in evaluation too")
    kind = _LAYERS[step.name]
    made = object.__new__(kind)
    gates = {LSTM: 4, GRU: 3, RNN: 1}[kind]
    made.input_size, made.hidden_size = weights[0].shape[1], weights[0].shape[0] // gates
    if weights[1].shape[1] != made.hidden_size:
        made.proj_size = weights[1].shape[1]
    made.num_layers, made.bias, made.batch_first = num_layers, bias, batch_first
    made.dropout = dropout if training is FOLLOW else 0.0
    made.bidirectional = bidirectional
    if kind is RNN:
        made._set_nonlinearity(step.name.removeprefix("rnn_"))
    _give(made, weights)
    output, last = made.build(x, tuple(state) if kind is LSTM else state)
    return (output, *last) if kind is LSTM else (output, last)


def _give(made: Any, weights: Any) -> None:
    """Set the weights of a layer, which are in the order of the layers and directions."""
    names = ["weight_ih", "weight_hh"]
    names += ["bias_ih", "bias_hh"] if made.bias else []
    names += ["weight_hr"] if made.proj_size else []
    given = iter(weights)
    for suffix in (s for place in range(made.num_layers) for s in made.suffixes(place)):
        for name in names:
            setattr(made, name + suffix, next(given))
        if not made.bias:
            setattr(made, f"bias_ih{suffix}", None)
            setattr(made, f"bias_hh{suffix}", None)


_CELLS: dict[str, Any] = {
    "lstm_cell": LSTMCell,
    "gru_cell": GRUCell,
    "rnn_tanh_cell": RNNCell,
    "rnn_relu_cell": RNNCell,
}


@rule(*_CELLS)
def cell(
    step: Any,
    x: Any,
    state: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any = None,
    bias_hh: Any = None,
) -> Any:
    """One step of a recurrent network."""
    kind = _CELLS[step.name]
    made = object.__new__(kind)
    made.input_size, made.hidden_size = weight_ih.shape[1], weight_hh.shape[1]
    if kind is RNNCell:
        made._set_nonlinearity(step.name.split("_")[1])
    made.weight_ih, made.weight_hh = weight_ih, weight_hh
    made.bias_ih, made.bias_hh = bias_ih, bias_hh
    state = tuple(state) if kind is LSTMCell else (state,)
    found = made.advance(x, state)
    return tuple(found) if kind is LSTMCell else found[0]
