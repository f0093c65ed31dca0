"""Convolutions with kernels of 3x3 by fewer products: 16 for each four results instead of 36.

Four results, two down and two across, are computed from a tile of 4x4 pixels, which overlaps the
tiles beside it by two. With g a kernel, d a tile and * the product number by number:

    results = A' [(G g G') * (B' d B)] A

Multiplying by A, B or G adds up a few numbers. What is left is a product of matrices for each of
the 16 places of a tile: kernels by tiles, summed over the channels. The gradients read the formula
backward, and share what it computes.

Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (CVPR 2016), section 4.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial, reduce
from math import prod
from typing import TYPE_CHECKING, Any

from graphnet.compile.lower.layouts import LANES, PER_VECTOR
from graphnet.compile.lower.loops import Contraction, Map
from graphnet.compile.lower.scalars import Place, Scalar, call, load
from graphnet.compile.plan.slots import Shape, Slot, new_slot

if TYPE_CHECKING:
    from torch import dtype

    from graphnet.compile.lower.statements import Statements
    from graphnet.graph import Operation

Matrix = tuple[tuple[float, ...], ...]
Square = list[list[Slot]]
"""A slot for each place of a tile, or of a part of it."""

OF_PIXELS: Matrix = ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1))
"""B': four numbers of four pixels."""
OF_KERNEL: Matrix = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))
"""G: four numbers of the three of a kernel."""
OF_PRODUCTS: Matrix = ((1, 1, 1, 0), (0, 1, -1, -1))
"""A': two results of four products."""

MOVED = 0.3
"""Cycles for a number of a tile: it is computed, stored, and read again."""
LARGEST = 1 << 21
"""How many numbers of all tiles a cache still holds."""
LINE = 64
"""The bytes that lie side by side in a cache."""


def pays(low: Statements, op: Any, image: Slot, weight: Shape, counts: Sequence[int]) -> bool:
    """True if a convolution has the right form, and saves more than the sums cost.

    Args:
        low: what it becomes part of.
        op: the convolution, or one of its gradients.
        image: its input, with the border.
        weight: the shape of its kernels.
        counts: how many windows there are, down and across.
    """
    is_plain = all(each == 1 for each in (*op.stride, *op.dilation, op.groups))
    if not (low.winograd and is_plain and image.dtype.is_floating_point):
        return False
    if weight[2:] != (3, 3) or any(n % 2 for n in counts):
        return False
    batch, (outputs, inputs) = image.shape[0], weight[:2]
    tiles = batch * prod(counts) // 4
    if batch < LANES or 16 * tiles * max(outputs, inputs) > LARGEST:
        return False
    saved = (36 - 16) * tiles * outputs * inputs * PER_VECTOR / LANES
    return saved > 16 * MOVED * (tiles * (outputs + inputs) + outputs * inputs)


class Winograd:
    """The statements of a convolution, or of one of its gradients.

    Args:
        low: what has been lowered so far.
        node: what is computed.
        counts: how many windows there are, down and across.
    """

    def __init__(self, low: Statements, node: Operation, counts: Sequence[int]) -> None:
        self.low, self.node = low, node
        self.tiles = counts[0] // 2, counts[1] // 2

    def convolve(self, image: Slot, weight: Slot, bias: Slot | None, out: Slot) -> None:
        """Compute the results of all windows."""
        products = self._product(self._kernel(weight), self._pixels(image).mT)
        elements = _combined(OF_PRODUCTS, OF_PRODUCTS, self._square(products))
        places = _every_second(out, 2, self.tiles)
        if bias is not None:
            added = load(bias.as_strided(places[0][0].shape, (*bias.strides, 0, 0, 0)))
            elements = [[call("add", each, added) for each in row] for row in elements]
        self._store(elements, places)

    def weight_gradient(self, grad: Slot, image: Slot, out: Slot) -> None:
        """Compute the gradient with respect to the kernels."""
        products = self._product(self._gradient(grad), self._pixels(image))
        back = _transposed(OF_KERNEL)
        self._store(_combined(back, back, _places(products)), _kernels(out))

    def input_gradient(self, grad: Slot, weight: Slot, out: Slot) -> None:
        """Compute the gradient with respect to the image, with its border.

        Two rows of pixels belong to the tile that begins there, and to the one before.
        """
        products = self._product(self._kernel(weight).mT, self._gradient(grad).mT)
        square, (tall, wide) = self._square(products), self.tiles
        for top, down, rows in _shared(tall):
            for left, across, columns in _shared(wide):
                terms = [
                    _combined(one, other, _part(square, (i, down), (j, across)))
                    for i, one in rows
                    for j, other in columns
                ]
                elements = [[reduce(partial(call, "add"), each) for each in zip(*row, strict=True)]
                            for row in zip(*terms, strict=True)]  # fmt: skip
                at = out[:, :, 2 * top :, 2 * left :]
                self._store(elements, _every_second(at, 2, (down, across)))

    # the factors, each 16 matrices

    def _pixels(self, image: Slot) -> Slot:
        return self._of_image("pixels", OF_PIXELS, image)

    def _gradient(self, grad: Slot) -> Slot:
        return self._of_image("gradient", _transposed(OF_PRODUCTS), grad)

    def _of_image(self, name: str, matrix: Matrix, image: Slot) -> Slot:
        """For each place, the channels by the tiles."""
        key = _key(image, name)
        if key not in self.low.turned:
            n, channels = image.shape[:2]
            made = _matrices(channels, prod(self.tiles) * n, image.dtype)
            given = _every_second(image, len(matrix[0]), self.tiles)
            self._store(_combined(matrix, matrix, given), self._square(made))
            self.low.turned[key] = made
        return self.low.turned[key]

    def _kernel(self, weight: Slot) -> Slot:
        """For each place, the outputs by the inputs."""
        key = _key(weight, "kernel")
        if key not in self.low.turned:
            made = _matrices(weight.shape[0], weight.shape[1], weight.dtype)
            self._store(_combined(OF_KERNEL, OF_KERNEL, _kernels(weight)), _places(made))
            self.low.turned[key] = made
        return self.low.turned[key]

    def _product(self, x: Slot, y: Slot) -> Slot:
        """For each place, the sums of products of rows with rows."""
        made = _matrices(x.shape[1], y.shape[1], x.dtype)
        sizes = (*made.shape, x.shape[2])
        (place, row, column), (other, line, step) = x.strides, y.strides
        x = x.as_strided(sizes, (place, row, 0, column))
        y = y.as_strided(sizes, (other, 0, line, step))
        self.low.contract(Contraction(self.node, sizes, 3, x, y, made))
        return made

    def _square(self, matrices: Slot) -> Square:
        """Columns as tiles: (channels, down, across, n) for each place."""
        sizes = (*self.tiles, matrices.shape[2] // prod(self.tiles))
        return [[each.unflatten(1, sizes) for each in row] for row in _places(matrices)]

    def _store(self, elements: list[list[Scalar]], places: Square) -> None:
        """Compute all elements of a tile, one tile after the other."""
        first, *others = (
            Map(self.node, place.shape, element, Place(place))
            for row, at in zip(elements, places, strict=True)
            for element, place in zip(row, at, strict=True)
        )
        self.low.add(replace(first, then=tuple(others)))


def _matrices(rows: int, columns: int, of: dtype) -> Slot:
    """Memory for 16 matrices.

    They begin an odd number of lines apart: of lines at a distance of a power of two, which the
    loops over all places write at once, a cache holds only a few.
    """
    line = LINE // of.itemsize
    apart = (-(-rows * columns // line) | 1) * line
    return new_slot((16 * apart,), of).as_strided((16, rows, columns), (apart, columns, 1))


def _places(matrices: Slot) -> Square:
    """Each matrix at its place in the tile."""
    return [[matrices[4 * i + j] for j in range(4)] for i in range(4)]


def _kernels(weight: Slot) -> Square:
    """The kernels' numbers, place by place."""
    return [[weight[:, :, i, j] for j in range(3)] for i in range(3)]


def _every_second(image: Slot, size: int, tiles: Sequence[int]) -> Square:
    """The pixels of all tiles, place by place: (channels, down, across, n)."""
    tall, wide = (2 * n - 1 for n in tiles)
    return [
        [image[:, :, i : i + tall : 2, j : j + wide : 2].permute(1, 2, 3, 0) for j in range(size)]
        for i in range(size)
    ]


def _shared(tiles: int) -> Iterator[tuple[int, int, list[tuple[int, Matrix]]]]:
    """Rows of pixels, by twos: the first, their count, and whose they are: tiles from one on."""
    back = _transposed(OF_PIXELS)
    upper, lower = back[:2], back[2:]
    yield 0, 1, [(0, upper)]
    if tiles > 1:
        yield 1, tiles - 1, [(1, upper), (0, lower)]
    yield tiles, 1, [(tiles - 1, lower)]


def _part(square: Square, down: tuple[int, int], across: tuple[int, int]) -> Square:
    """Some of the tiles."""
    return [[each.narrow(1, *down).narrow(2, *across) for each in row] for row in square]


def _transposed(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))


def _combined(one: Matrix, other: Matrix, given: Square) -> list[list[Scalar]]:
    """The elements of the product of one matrix, what is given, and the other one transposed."""
    return [[_element(row, column, given) for column in other] for row in one]


def _element(row: Sequence[float], column: Sequence[float], given: Square) -> Scalar:
    """A sum of loads; the terms that are subtracted come last."""
    factors = {(i, j): a * b for i, a in enumerate(row) for j, b in enumerate(column) if a * b}
    terms = {True: list[Scalar](), False: list[Scalar]()}
    for (i, j), factor in factors.items():
        term = load(given[i][j])
        scaled = term if abs(factor) == 1 else call("mul", term, abs(factor))
        terms[factor > 0].append(scaled)
    first, *rest = terms[True] or [call("neg", terms[False].pop(0))]
    return reduce(partial(call, "sub"), terms[False], reduce(partial(call, "add"), rest, first))


def _key(slot: Slot, name: str) -> tuple[object, ...]:
    """By what a factor is found again; see `Statements.turned`."""
    return slot.buffer, slot.offset, slot.shape, slot.strides, name
