"""One step of each kind of recurrent network, and its slopes: the formulas of cells and scans."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from graphnet.ops.broadcasting import zeros_like
from graphnet.ops.joining import chunk

if TYPE_CHECKING:
    Parts = tuple[Any, ...]

__all__: list[str] = []  # torch has them as modules: see `graphnet.layers.cells`


class Slopes(NamedTuple):
    """The derivative of a new state by what it is computed from, element by element.

    Attributes:
        kept: for each part of the new state, its slope by each part of the previous state.
        gain: for each part of the new state, its slope by each gate of the recurrent map.
        given: the same by each gate of the map of the input.
    """

    kept: tuple[Parts, ...]
    gain: tuple[Parts, ...]
    given: tuple[Parts, ...]


def tanh_step(mapped: Any, recurrent: Any, state: Parts) -> Parts:
    """h' = tanh(x + r)."""
    return ((mapped + recurrent).tanh(),)


def tanh_slopes(mapped: Any, recurrent: Any, state: Parts, after: Parts) -> Slopes:
    """dh'/dr = 1 - h'²."""
    gain = ((1 - after[0] * after[0],),)
    return Slopes(((zeros_like(after[0]),),), gain, gain)


def relu_step(mapped: Any, recurrent: Any, state: Parts) -> Parts:
    """h' = relu(x + r)."""
    return ((mapped + recurrent).relu(),)


def relu_slopes(mapped: Any, recurrent: Any, state: Parts, after: Parts) -> Slopes:
    """dh'/dr = 1 where h' > 0, else 0."""
    zero = zeros_like(after[0])
    gain = (((zero + 1).masked_fill(after[0] <= 0, 0.0),),)
    return Slopes(((zero,),), gain, gain)


def lstm_step(mapped: Any, recurrent: Any, state: Parts) -> Parts:
    """c' = f c + i g and h' = o tanh c', with gates i, f, o = σ(...) and g = tanh(...)."""
    i, f, g, o = chunk(mapped + recurrent, 4, -1)
    cell = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
    return o.sigmoid() * cell.tanh(), cell


def lstm_slopes(mapped: Any, recurrent: Any, state: Parts, after: Parts) -> Slopes:
    """dc' as in the formula, and dh' = o (1 - tanh² c') dc' + tanh c' do."""
    i, f, g, o = chunk(mapped + recurrent, 4, -1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    shown = after[1].tanh()
    through = o * (1 - shown * shown)
    zero = zeros_like(f)
    cell = (g * i * (1 - i), state[1] * f * (1 - f), i * (1 - g * g), zero)
    hidden = (*(through * slope for slope in cell[:3]), shown * o * (1 - o))
    return Slopes(((zero, through * f), (zero, f)), (hidden, cell), (hidden, cell))


def gru_step(mapped: Any, recurrent: Any, state: Parts) -> Parts:
    """h' = (1 - z) n + z h, with gates r, z = σ(...) and n = tanh(xₙ + r hₙ)."""
    _, z, n = _gru_gates(mapped, recurrent)
    return ((1 - z) * n + z * state[0],)


def gru_slopes(mapped: Any, recurrent: Any, state: Parts, after: Parts) -> Slopes:
    """dh' = z dh + (h - n) dz + (1 - z) dn, where r acts on the recurrent part of n alone."""
    r, z, n = _gru_gates(mapped, recurrent)
    by_n = (1 - z) * (1 - n * n)
    by_r = by_n * chunk(recurrent, 3, -1)[2] * r * (1 - r)
    by_z = (state[0] - n) * z * (1 - z)
    return Slopes(((z,),), ((by_r, by_z, by_n * r),), ((by_r, by_z, by_n),))


def _gru_gates(mapped: Any, recurrent: Any) -> Parts:
    x_r, x_z, x_n = chunk(mapped, 3, -1)
    h_r, h_z, h_n = chunk(recurrent, 3, -1)
    r = (x_r + h_r).sigmoid()
    return r, (x_z + h_z).sigmoid(), (x_n + r * h_n).tanh()


class Kind(NamedTuple):
    """A kind of recurrent network: the new state from both maps and the previous state.

    Attributes:
        states: how many parts a state has; the first one is mapped by the recurrent weight.
        gates: how many parts both maps have.
        step: the new state.
        slopes: its derivative.
    """

    states: int
    gates: int
    step: Callable[..., Parts]
    slopes: Callable[..., Slopes]


KINDS = {
    "tanh": Kind(1, 1, tanh_step, tanh_slopes),
    "relu": Kind(1, 1, relu_step, relu_slopes),
    "lstm": Kind(2, 4, lstm_step, lstm_slopes),
    "gru": Kind(1, 3, gru_step, gru_slopes),
}
