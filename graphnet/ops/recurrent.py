"""Recurrent networks along a sequence of any length: the loop over time is inside an operation.

`RecurrentScan` repeats a step of `recurrent_steps`. Its derivative is a recurrence too, a linear
one from the end: `LinearScan`, whose derivatives are again linear scans.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from graphnet.errors import ShapeError
from graphnet.op import Op
from graphnet.ops.broadcasting import zeros_like
from graphnet.ops.comparison import where
from graphnet.ops.cumulative import Shift
from graphnet.ops.joining import cat, stack
from graphnet.ops.recurrent_steps import KINDS, Kind

if TYPE_CHECKING:
    from torch import Tensor

__all__: list[str] = []  # torch has them as modules: see `graphnet.layers.recurrent`


class LinearScan(Op):
    """uₜ = xₜ + Mₜ uₜ₋₁ with u₋₁ = 0; or from the end, transposed: uₜ = xₜ + Mₜ₊₁ᵀ uₜ₊₁.

    M u = kept · u + gain · W u₀: every part of a state keeps a share of each part, and takes some
    of each gate of W u₀, with u₀ its first part. The derivative by x is the other of the two
    scans, of the same M; with λ the scan from the end and u the one from the start, that by Mₜ is
    λₜ uₜ₋₁ᵀ, from which those by its parts follow.
    Shapes: (t, n, s, h), (t, n, s, s, h), (t, n, s, g, h), (g h, h) -> (t, n, s, h).
    """

    symbol = "x + M u"
    reverse: bool = False

    def forward(self, x: Tensor, kept: Tensor, gain: Tensor, weight: Tensor) -> Tensor:
        steps = x.unbind(0)
        places = list(range(len(steps)))[:: -1 if self.reverse else 1]
        found: list[Any] = [*steps]
        for before, place in pairwise(places):
            of = max(before, place)
            move = _back if self.reverse else _onward
            found[place] = steps[place] + move(kept[of], gain[of], weight, found[before])
        return stack(found, 0) if found else zeros_like(x)

    def grad_x(self, grad: Tensor, kept: Tensor, gain: Tensor, weight: Tensor) -> Tensor:
        return LinearScan(not self.reverse)(grad, kept, gain, weight)

    def grad_kept(
        self, grad: Tensor, kept: Tensor, gain: Tensor, weight: Tensor, top: Tensor
    ) -> Tensor:
        back, before = self._both(grad, kept, gain, weight, top)
        result: Tensor = back.unsqueeze(-2) * before.unsqueeze(-3)
        return result

    def grad_gain(
        self, grad: Tensor, kept: Tensor, gain: Tensor, weight: Tensor, top: Tensor
    ) -> Tensor:
        back, before = self._both(grad, kept, gain, weight, top)
        result: Tensor = back.unsqueeze(-2) * _gates(before, gain, weight).unsqueeze(-3)
        return result

    def grad_weight(
        self, grad: Tensor, kept: Tensor, gain: Tensor, weight: Tensor, top: Tensor
    ) -> Tensor:
        back, before = self._both(grad, kept, gain, weight, top)
        return _outer(_through(gain, back), before.select(-2, 0))

    def _both(self, grad: Any, kept: Any, gain: Any, weight: Any, top: Any) -> tuple[Any, Any]:
        """The scan from the end, and the one from the start, a step later."""
        other = LinearScan(not self.reverse)(grad, kept, gain, weight)
        back, onward = (top, other) if self.reverse else (other, top)
        return back, Shift(0, 1)(onward)


class RecurrentScan(Op):
    """The state of a recurrent network after each step, from the map of its input at each step.

    A step also reads the map of the previous state, W h + b, with h the first part of the state.
    Where the mask is false, the state stays; True is a mask of no effect, and b may be 0.
    Shapes: x (t, n, g h), W (g h, h), b (g h), start (n, s, h), mask (t, n, 1) -> (t, n, s, h),
    for s parts of a state and g gates: of an LSTM h and c, and i, f, g, o.
    """

    symbol = "recurrent"
    hint = "The length of a sequence must be 1 or more."
    kind: str
    """tanh, relu, lstm or gru."""

    def forward(self, x: Tensor, weight: Tensor, bias: Any, start: Tensor, mask: Any) -> Tensor:
        if not x.shape[0]:
            raise ShapeError(f"{self.kind}: the length of a sequence must be 1 or more; got 0.")
        state: tuple[Any, ...] = start.unbind(-2)
        found = []
        for place, mapped in enumerate(x.unbind(0)):
            after = self._kind.step(mapped, state[0].matmul(weight.mT) + bias, state)
            counts = mask if mask is True else mask[place]
            state = tuple(_if(counts, *pair) for pair in zip(after, state, strict=True))
            found.append(stack(state, -2))
        result: Tensor = stack(found, 0)
        return result

    def trial(self, x: Tensor, weight: Tensor, bias: Any, start: Tensor, mask: Any) -> Tensor:
        """One step: every step has the same shape."""
        first: Any = self.forward(x[:1], weight, bias, start, mask if mask is True else mask[:1])
        return cast("Tensor", first.expand(x.shape[0], *first.shape[1:]))

    def grad_x(
        self, grad: Tensor, x: Tensor, weight: Tensor, bias: Any, start: Tensor, mask: Any,
        top: Tensor,
    ) -> Tensor:  # fmt: skip
        walk = self._walk(x, weight, bias, start, mask, top)
        return _through(walk.given, walk.back(grad, weight))

    def grad_weight(
        self, grad: Tensor, x: Tensor, weight: Tensor, bias: Any, start: Tensor, mask: Any,
        top: Tensor,
    ) -> Tensor:  # fmt: skip
        walk = self._walk(x, weight, bias, start, mask, top)
        return _outer(_through(walk.gain, walk.back(grad, weight)), walk.before.select(-2, 0))

    def grad_bias(
        self, grad: Tensor, x: Tensor, weight: Tensor, bias: Any, start: Tensor, mask: Any,
        top: Tensor,
    ) -> Tensor:  # fmt: skip
        walk = self._walk(x, weight, bias, start, mask, top)
        return _through(walk.gain, walk.back(grad, weight)).sum((0, 1))

    def grad_start(
        self, grad: Tensor, x: Tensor, weight: Tensor, bias: Any, start: Tensor, mask: Any,
        top: Tensor,
    ) -> Tensor:  # fmt: skip
        walk = self._walk(x, weight, bias, start, mask, top)
        first = walk.back(grad, weight).select(0, 0)
        return _back(walk.kept.select(0, 0), walk.gain.select(0, 0), weight, first)

    grad_mask = None

    @property
    def _kind(self) -> Kind:
        return KINDS[self.kind]

    def _walk(self, x: Any, weight: Any, bias: Any, start: Any, mask: Any, top: Any) -> _Walk:
        """The slopes of all steps at once, from the states that the scan has found."""
        before = cat((start.unsqueeze(0), top[:-1]), 0)
        parts = range(self._kind.states)
        state, after = (tuple(each.select(-2, part) for part in parts) for each in (before, top))
        recurrent = state[0].matmul(weight.mT) + bias
        kept, gain, given = self._kind.slopes(x, recurrent, state, after)
        stays = tuple(tuple(float(a == b) for b in parts) for a in parts)
        none = ((0.0,) * self._kind.gates,) * self._kind.states
        return _Walk(
            before, _block(kept, stays, mask), _block(gain, none, mask), _block(given, none, mask)
        )


class _Walk(NamedTuple):
    """The states before all steps, and the slopes of the steps as tensors or nodes."""

    before: Any
    kept: Any
    gain: Any
    given: Any

    def back(self, grad: Any, weight: Any) -> Any:
        """The gradient by the state after each step, through all later steps."""
        return LinearScan(reverse=True)(grad, self.kept, self.gain, weight)


def _if(mask: Any, x: Any, y: Any) -> Any:
    """x where the mask is true, else y."""
    return x if mask is True else where(mask, x, y)


def _block(rows: Any, otherwise: Any, mask: Any) -> Any:
    """Rows of slopes in one, with other numbers where the mask is false."""
    pairs = [zip(row, others, strict=True) for row, others in zip(rows, otherwise, strict=True)]
    return stack([stack([_if(mask, *pair) for pair in row], -2) for row in pairs], -3)


def _gates(state: Any, gain: Any, weight: Any) -> Any:
    """W u₀ for the first part of a state, one row for each gate."""
    return state.select(-2, 0).matmul(weight.mT).unflatten(-1, tuple(gain.shape[-2:]))


def _onward(kept: Any, gain: Any, weight: Any, state: Any) -> Any:
    """M u."""
    taken = gain * _gates(state, gain, weight).unsqueeze(-3)
    return (kept * state.unsqueeze(-3)).sum(-2) + taken.sum(-2)


def _through(gain: Any, state: Any) -> Tensor:
    """The gradient by the gates, side by side, from that by the state that they make."""
    result: Tensor = (gain * state.unsqueeze(-2)).sum(-3).flatten(-2)
    return result


def _back(kept: Any, gain: Any, weight: Any, state: Any) -> Tensor:
    """Mᵀ u."""
    first = _through(gain, state).matmul(weight).unsqueeze(-2)
    rest: Tensor = (kept * state.unsqueeze(-2)).sum(-3)
    count = rest.shape[-2]
    if count == 1:
        return rest + first
    return cat((rest.narrow(-2, 0, 1) + first, rest.narrow(-2, 1, count - 1)), -2)


def _outer(gates: Any, states: Any) -> Tensor:
    """The gradient by a weight, summed over all steps."""
    result: Tensor = gates.flatten(0, -2).mT.matmul(states.flatten(0, -2))
    return result
