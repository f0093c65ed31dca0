"""Compares a gradient with central differences, along single elements and along all of them.

Source: the central difference (f(x + h) - f(x - h)) / 2h, whose error falls with h²; see Press et
al., Numerical Recipes (3rd edition, 2007), section 5.7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from graphnet.check.report import NotChecked
from graphnet.errors import GraphError

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.op import Op
    from graphnet.op_rules import Rule

STEP = 1e-6  # near the cube root of float64's precision, where both kinds of error are small
TOLERANCE = 1e-6
LARGE = -100  # times `wave`: a rule must be right for gradients of any sign and size
KINK = 1e-3  # the relative difference of two slopes above which there is no derivative
PLACES = 256  # elements of each input that are moved one by one
_MOVED = 24  # elements of each source that are moved for the second derivative


class Comparison(NamedTuple):
    """How far a rule is from the central differences, relative to the largest gradient.

    Attributes:
        error: the difference that was measured.
        bound: up to where the inexact differences explain it: 1e-6, and what they lose by rounding.
    """

    error: float
    bound: float = TOLERANCE

    @property
    def is_right(self) -> bool:
        """True if the error is within the bound."""
        return self.error <= self.bound

    @property
    def ratio(self) -> float:
        """The error in units of the bound."""
        return self.error / self.bound


def compare(op: Op, place: int, arguments: list[Any], top: Tensor) -> tuple[Comparison, str]:
    """The comparison of one rule at float64 arguments that is worst, and the fault in words.

    Only finite elements are moved and looked at: a difference of infinities or of NaN says nothing.

    Raises:
        NotChecked: there are none.
    """
    x = arguments[place].contiguous()
    fixed, endless = ~x.isfinite(), ~top.isfinite()
    if x.numel() and (fixed.all() or (top.numel() and endless.all())):
        raise NotChecked("no value is finite")
    seed = wave(top).masked_fill(endless, 0.0)
    grad = _ruled(op, place, arguments, top, seed)
    if grad.shape != x.shape:
        fault = f"the rule returns the shape {tuple(grad.shape)}, not {tuple(x.shape)}"
        return Comparison(inf), fault

    def change(move: Tensor) -> Tensor:
        """How the outputs change, weighted by the seed."""
        moved: Tensor = op.forward(*arguments[:place], x + move, *arguments[place + 1 :])
        return (moved - top).masked_fill(endless, 0.0) * seed

    sizes = (top.masked_fill(endless, 0.0) * seed).abs()
    largest = float(grad.masked_fill(~grad.isfinite(), 0.0).abs().max()) if grad.numel() else 0.0
    worst, fault, checked = Comparison(0.0), "", not x.numel()
    for name, whole in _directions(x):
        direction = whole.masked_fill(fixed, 0.0)
        ruled = float((grad * direction)[direction != 0].sum())
        if endless.any() and not isfinite(ruled):  # at the border of the function's domain
            continue
        steps = _steps(x.masked_fill(fixed, 0.0), direction)
        slopes = [_slopes(change, sizes, direction, step) for step in steps]
        checked = checked or any(slopes)
        found, slope = _compare_along(slopes, ruled, largest * float(direction.abs().max()))
        if found.ratio > worst.ratio:
            worst = found
            fault = f"{ruled:.6g} by the rule, {slope:.6g} by differences at {name}"
    if not checked and (fixed.any() or endless.any()):
        raise NotChecked("no difference is finite")
    if not worst.is_right:
        return worst, fault
    large = _ruled(op, place, arguments, top, LARGE * seed)
    if not _are_close(large / LARGE, grad, TOLERANCE * largest):
        return Comparison(inf), f"{LARGE} times `grad` does not give {LARGE} times the result"
    return worst, ""


def _ruled(op: Op, place: int, arguments: list[Any], top: Tensor, seed: Tensor) -> Tensor:
    """What the rule returns, summed to the argument's shape; 0 where the argument is not finite."""
    x, grad = arguments[place], by_rule(op, place, arguments, top, seed)
    if op.broadcasts:
        grad = grad.sum_to_size(x.shape)
    return grad.masked_fill(~x.isfinite(), 0.0) if grad.shape == x.shape else grad


def _are_close(scaled: Tensor, grad: Tensor, tolerance: float) -> bool:
    """True unless two gradients differ, or the first is NaN where the second is a number."""
    lost = scaled.isnan().logical_and(~grad.isnan())  # NaN compares as not greater
    return not (scaled - grad).abs().gt(tolerance).logical_or(lost).any()


def _compare_along(
    slopes: Iterable[tuple[float, float, float] | None], ruled: float, size: float
) -> tuple[Comparison, float]:
    """The comparison along one direction at the best step, and the slope found there.

    If the slopes at two steps disagree, there is no derivative, and no error.
    """
    found: list[tuple[float, Comparison, float]] = []
    for low, high, slack in filter(None, slopes):
        central = (low + high) / 2
        scale = max(size, abs(central), 1e-300)
        kink = high - low > KINK * max(abs(low), abs(high))
        distance = max(low - ruled, ruled - high, 0.0) if kink else abs(ruled - central)
        result = Comparison(distance / scale, TOLERANCE + slack / scale)
        if result.is_right:
            return result, central
        found.append((result.error - result.bound, result, central))
    if not found:
        return Comparison(0.0), ruled
    first, last = found[0][2], found[-1][2]
    if len(found) > 1 and not abs(first - last) <= KINK * max(abs(first), abs(last)):
        return Comparison(0.0), ruled
    _, best, central = min(found)
    return (best if isfinite(best.error) else Comparison(inf)), central


def _slopes(
    change: Callable[[Tensor], Tensor], sizes: Tensor, direction: Tensor, step: float
) -> tuple[float, float, float] | None:
    """The smallest and the largest slope, and how much of their difference is rounding.

    At a kink, every slope between its two sides is right, for each element of the output alone.
    None at the border of the function's domain, where it has one side and no derivative.
    """
    sides = []
    for signed in (step, -step):
        try:
            side = change(direction * signed)
        except GraphError:  # outside the domain of the function
            return None
        if not side.isfinite().all():
            return None
        sides.append(side / signed)
    left, right = sides
    rounding = 4e-16 * float(sizes[left != 0].sum()) / step
    return float(left.minimum(right).sum()), float(left.maximum(right).sum()), rounding


def _steps(x: Tensor, direction: Tensor) -> list[float]:
    """Steps to try: one for numbers of about 1 or more, and smaller ones for smaller numbers."""
    size = float((x * direction).abs().max())
    fine = 1e-4 * size if 1e-9 < size < 1e-2 else STEP / 30
    return [STEP * max(1.0, size), fine, fine / 10]


def by_rule(op: Op, place: int, arguments: list[Any], top: Tensor, grad: Tensor) -> Tensor:
    """The gradient by one argument that the rule of the op returns."""
    rule = cast("Rule", op.rules_for(len(arguments))[place])
    result: Tensor = rule.function(op, *op.read(rule, place, arguments, grad, top))
    return result


def _directions(x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Some single elements of x, and for a large x also all elements at once."""
    count = x.numel()
    for place in range(0, count, max(1, count // PLACES)):
        direction = x.new_zeros(count)
        direction[place] = 1.0
        yield f"element {place_of(place, tuple(x.shape))}", direction.view(x.shape)
    if count > PLACES:
        yield "all elements together", wave(x)


def wave(x: Tensor) -> Tensor:
    """Numbers between 0.5 and 2.5 in the shape of x, all different, the same at each call."""
    count = x.new_ones(x.numel()).cumsum(0)
    return (count * 2.4).cos().add(1.5).view(x.shape)


def place_of(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index in a tensor of an element counted in row-major order."""
    place: list[int] = []
    for size in reversed(shape):
        flat, index = divmod(flat, size)
        place.insert(0, index)
    return tuple(place)


def compare_slopes(at: Callable[[Tensor], float], base: Tensor, ruled: Tensor) -> str:
    """Where a gradient deviates from the differences of `at`, in words."""
    if ruled.shape != base.shape:
        return f"of shape {tuple(ruled.shape)}, not {tuple(base.shape)}"
    count = base.numel()
    flat = ruled.reshape(-1)
    scale = max(float(flat.abs().max()), 1e-3) if count else 1.0
    for place in range(0, count, max(1, count // _MOVED)):
        errors = []
        for step in (1e-5, 1e-6, 1e-4):
            move = base.new_zeros(count)
            move[place] = step
            found = (at(move.view(base.shape)) - at(-move.view(base.shape))) / (2 * step)
            errors.append((abs(found - float(flat[place])), found))
            if errors[-1][0] <= 1e-4 * max(scale, abs(found)):
                break
        else:
            return f"{float(flat[place]):.6g} by the rules, {min(errors)[1]:.6g} by differences"
    return ""
