"""Sums of products by an equation of letters: `ops.einsum`.

Each letter names a dimension: one in both operands and in the result is a batch, one that is not
in the result is summed. What remains is one matrix product.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphnet.errors import GraphError, ShapeError, brief
from graphnet.op import Structural, T, View
from graphnet.ops.dims import described, require_tensors, unpacked
from graphnet.ops.products import matmul
from graphnet.ops.reductions import sum
from graphnet.ops.shapes import flatten, permute, squeeze, unsqueeze

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["einsum"]

Letters = list[str]


class Diagonal(View):
    """The diagonals of square matrices.  Shapes: (..., n, n) -> (..., n)."""

    symbol = "diagonal"
    hint = "Both of the last sizes must be the same."

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] != x.shape[-2]:
            raise ShapeError(f"{tuple(x.shape)} does not end with two equal sizes")
        return x.diagonal(0, -2, -1)

    def grad_x(self, grad: Tensor) -> Tensor:
        return DiagEmbed()(grad)


class DiagEmbed(Structural):
    """Square matrices with x on the diagonal, else zeros.  Shapes: (..., n) -> (..., n, n)."""

    symbol = "diag"

    def forward(self, x: Tensor) -> Tensor:
        return x.diag_embed()

    def grad_x(self, grad: Tensor) -> Tensor:
        return Diagonal()(grad)


def einsum(equation: str, *operands: T) -> T:
    """The sum of products of operands by an equation such as "ij,jk->ik".

    Letters missing after the arrow are summed; without an arrow, the letters that occur once
    remain, in alphabetical order. Several operands are multiplied from left to right. `...` stands
    for dimensions that broadcast. A letter repeated in one operand names its diagonal.

    Raises:
        ShapeError: an operand's dimensions differ in number from its letters, or sizes differ.
        GraphError: the equation is malformed, or there are no operands.

    >>> from torch import empty
    >>> einsum("bij,jk->bik", empty(5, 2, 3), empty(3, 4)).shape
    torch.Size([5, 2, 4])
    """
    parts: list[Any] = [*unpacked(operands)]
    require_tensors("einsum", *parts)
    sides, result = _parsed(equation, parts)
    for place, side in enumerate(sides):
        parts[place], sides[place] = _without_repeats(parts[place], side)
    product: Any = parts[0]
    letters: Letters = sides[0]
    for place in range(1, len(parts)):
        later: Letters = [each for side in sides[place + 1 :] for each in side]
        two, named = [product, parts[place]], [letters, sides[place]]
        product, letters = _product(two, named, result + later)
    product, letters = _summed(product, letters, result)
    order = tuple(letters.index(letter) for letter in result)
    whole = order == tuple(range(len(order)))
    return cast("T", product if whole else permute(product, order))


def _parsed(equation: str, operands: list[Any]) -> tuple[list[Letters], Letters]:
    """The letters of each operand and of the result; dimensions of `...` become numbers."""
    if not isinstance(equation, str):
        raise GraphError(f"einsum: the equation must be a string; got {brief(equation)}.")
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if not operands or len(terms) != len(operands):
        raise GraphError(
            f"einsum takes letters for each operand; got {equation!r} with {len(operands)}."
        )
    widths = [_width(term, operand) for term, operand in zip(terms, operands, strict=True)]
    dots = [str(i) for i in range(max(widths))]
    sides = [
        _letters(term, dots[len(dots) - width :], equation)
        for term, width in zip(terms, widths, strict=True)
    ]
    every = [letter for letters in sides for letter in letters]
    if arrow:
        result = _letters(right, dots, equation)
    else:
        result = dots + sorted(each for each in set(every) - set(dots) if every.count(each) == 1)
    if len(set(result)) < len(result) or not set(result) <= set(every):
        raise GraphError(
            f"einsum: after the arrow of {equation!r}, each letter of an operand may "
            "appear once, and no other."
        )
    return sides, result


def _width(term: str, operand: Any) -> int:
    """The number of dimensions of an operand for which the dots of its term stand."""
    width: int = operand.ndim - len(term.replace("...", ""))
    if width < 0 or (width and "..." not in term):
        raise ShapeError(f"einsum: {term!r} does not name the dimensions of {described(operand)}.")
    return width


def _letters(term: str, dots: Letters, equation: str) -> Letters:
    """The letters of a term, with the dimensions that its `...` stands for."""
    before, ellipsis, after = term.partition("...")
    if any(not (each.isascii() and each.isalpha()) for each in before + after):
        raise GraphError(f"einsum: {equation!r} may contain only letters, commas, -> and `...`.")
    return [*before, *(dots if ellipsis else []), *after]


def _without_repeats(x: Any, letters: Letters) -> tuple[Any, Letters]:
    """The diagonal wherever a letter is repeated."""
    for letter in sorted(set(letters)):
        while letters.count(letter) > 1:
            first = letters.index(letter)
            second = letters.index(letter, first + 1)
            others = [dim for dim in range(x.ndim) if dim not in (first, second)]
            x = Diagonal()(permute(x, *others, first, second))
            letters = [*(letters[dim] for dim in others), letter]
    return x, letters


def _summed(x: Any, letters: Letters, kept: Letters) -> tuple[Any, Letters]:
    """x summed over all letters except those to keep."""
    dims = tuple(dim for dim, letter in enumerate(letters) if letter not in kept)
    return (sum(x, dims) if dims else x), [each for each in letters if each in kept]


def _product(parts: list[Any], sides: list[Letters], result: Letters) -> tuple[Any, Letters]:
    """The summed product of two operands, as a batch of matrix products."""
    for place in (0, 1):
        other = parts[1 - place]
        for letter in [each for each in sides[place] if each in sides[1 - place]]:
            size = other.shape[sides[1 - place].index(letter)]
            dim = sides[place].index(letter)
            if parts[place].shape[dim] == 1 and size not in (1, None):  # a size of 1 broadcasts
                parts[place] = squeeze(parts[place], dim)
                sides[place] = [each for each in sides[place] if each != letter]
    for place in (0, 1):
        parts[place], sides[place] = _summed(parts[place], sides[place], sides[1 - place] + result)
    left, right = sides
    inner = [each for each in left if each in right and each not in result]
    rows = [each for each in left if each not in right][-1:]
    columns = [each for each in right if each not in left][-1:]
    batch = [each for each in left + right if each not in inner + rows + columns]
    batch = list(dict.fromkeys(batch))
    x = _arranged(parts[0], left, [batch, rows, inner])
    y = _arranged(parts[1], right, [batch, inner, columns])
    product = matmul(x, y)
    if not columns:
        product = squeeze(product, -1)
    if not rows:
        product = squeeze(product, -2 if columns else -1)
    return product, batch + rows + columns


def _arranged(x: Any, letters: Letters, groups: list[Letters]) -> Any:
    """x as a batch of matrices: its letters in the order of the groups, the last two as one."""
    wanted = [letter for group in groups for letter in group]
    order = tuple(letters.index(each) for each in wanted if each in letters)
    x = permute(x, order) if order != tuple(range(len(order))) else x
    for place, letter in enumerate(wanted):
        if letter not in letters:
            x = unsqueeze(x, place)
    start = len(groups[0])
    for group in groups[1:]:
        if not group:
            x = unsqueeze(x, start)
        elif len(group) > 1:
            x = flatten(x, start, start + len(group) - 1)
        start += 1
    return x
