"""Contractions in C: tiles of every size, for every width of vectors, against float64."""

from __future__ import annotations

import ctypes
from dataclasses import replace

import pytest
import torch
from compile.targets.fakes import real_compiler

import graphnet as gn
from graphnet.compile.lower.loops import Contraction, Lowered
from graphnet.compile.plan.placement import Cells
from graphnet.compile.targets.c.printer import printed
from graphnet.compile.targets.c.products import ProductPrinter
from graphnet.compile.targets.c.toolchain import begin

LANES = [16, 8, 4, 1]
DEPTHS = [1, 2, 3, 8, 17, 33]
SQUARE = [(rows, (rows * 17) % 80 + 1, DEPTHS[rows % 6]) for rows in range(1, 41)]
"""Each number of rows once, and as many of columns: up to four vectors and a part of one."""
WIDE = [48, 49, 63, 64, 65, 79, 80, 81]
EVERY = [(rows, columns, DEPTHS[(rows + columns) % 6])
         for rows in range(1, 41) for columns in (*range(1, 41), *WIDE)]  # fmt: skip


class Products:
    """Many contractions in one program, each with memory of its own.

    Args:
        lanes: the numbers of a vector.
        dtype: of all.
    """

    def __init__(self, lanes, dtype):
        self.lanes, self.dtype = lanes, dtype
        self.generator = torch.Generator().manual_seed(0)
        self.cells, self.low = Cells(), Lowered()
        self.node = gn.Graph().input((), name="product")
        self.checked, self.kept = [], []

    def random(self, *shape):
        made = torch.rand(shape, generator=self.generator, dtype=torch.float64) - 0.5
        return made.to(self.dtype)

    def slot(self, tensor):
        self.kept.append(tensor)
        return self.cells.slot(tensor)

    def add(self, sizes, kept, vector, x, y, start=None, turned=False, on_top=False):
        """One contraction of expanded tensors, with a border of ones around its result."""
        shape = sizes[:kept]
        order = [*range(kept)]
        if vector is not None and vector < kept:  # vectors are written side by side
            order = [*[dim for dim in order if dim != vector], vector]
        elif turned:
            order.reverse()
        laid = torch.ones([shape[dim] for dim in order], dtype=self.dtype)
        whole = torch.ones(laid.numel() + 128, dtype=self.dtype)
        flat = whole[64:-64].view(laid.shape)
        out = flat.permute([order.index(dim) for dim in range(kept)])
        begin_with = None if start is None else self.slot(start.expand(shape))
        if on_top:
            start, begin_with = torch.ones(()), self.slot(out)
        statement = Contraction(
            self.node, tuple(sizes), kept, self.slot(x.expand(sizes)), self.slot(y.expand(sizes)),
            self.slot(out), begin_with, vector,
        )  # fmt: skip
        self.low.statements.append(statement)
        exact = (x.double().expand(sizes) * y.double().expand(sizes)).flatten(kept).sum(-1)
        size = (x.double().expand(sizes) * y.double().expand(sizes)).abs().flatten(kept).sum(-1)
        if start is not None:
            exact, size = exact + start.double(), size + start.double().abs()
        self.checked.append((statement, whole, out, exact, size))

    def run(self):
        real_compiler()
        program = printed(self.low, self.lanes)
        library = begin(program.source).library()
        cells = [each.memory.untyped_storage().data_ptr() for each in program.cells]
        scratch = torch.empty(program.scratch + 64, dtype=torch.uint8)
        given = (ctypes.c_void_p * len(cells))(*cells)
        assert library.graphnet_step(given, None, None, ctypes.c_void_p(scratch.data_ptr())) == 0
        limit = torch.finfo(self.dtype).eps
        for statement, whole, out, exact, size in self.checked:
            name = f"{statement.sizes}, vectors along {statement.vector}"
            terms = 1 + sum(statement.sizes[statement.kept :])
            # each addition and each product rounds once: at most a half of eps of the partial sum
            assert ((out.double() - exact).abs() <= terms * limit * size + 1e-300).all(), name
            border = torch.cat([whole[:64], whole[-64:]])
            assert border.equal(torch.ones_like(border)), f"{name} writes beside its memory"


def matrices(products, rows, columns, depth, number):
    """x y + b, with vectors along the columns, along the sum, and none."""
    sizes = rows, columns, depth
    bias = [None, products.random(columns), products.random(rows, 1), products.random(1)][
        number % 4
    ]
    x = products.random(rows, 1, depth)
    products.add(sizes, 2, 1, x, products.random(1, depth, columns).mT, bias)
    products.add(sizes, 2, 2, x, products.random(1, columns, depth), bias, turned=number % 3 == 0)
    if number % 5 == 0:
        products.add(sizes, 2, None, x, products.random(1, depth, columns).mT, bias)
        products.add(sizes, 2, 0, products.random(depth, 1, rows).permute(2, 1, 0),
                     products.random(1, columns, depth), bias)  # fmt: skip


def images(products, number):
    """More summed axes than a tile goes through, more kept ones than rows and columns."""
    batch, filters, channels, size = 3, 5 + number, 4, 6 + number
    image = products.random(batch, 1, size, size, channels, 3, 3)
    weight = products.random(1, filters, 1, 1, channels, 3, 3)
    sizes = (batch, filters, size, size, channels, 3, 3)
    whole = products.random(batch, channels, size + 2, size + 2)
    seen = whole.unfold(2, 3, 1).unfold(3, 3, 1).permute(0, 2, 3, 1, 4, 5).unsqueeze(1)
    products.add(sizes, 4, 3, seen, weight, products.random(1, filters, 1, 1))
    products.add(sizes, 4, 6, image, weight)
    turned = products.random(1, size, size, channels, 3, 3, batch).permute(6, 0, 1, 2, 3, 4, 5)
    products.add(sizes, 4, 0, turned, weight)
    # No common stride leads through the five summed axes, so several turns add to the sums.
    deep = products.random(4, 5, 2, 2, 3, 2, 1).permute(0, 6, 1, 4, 3, 2, 5)
    other = products.random(7 + number, 2, 3, 5, 2, 2, 1).permute(6, 0, 3, 2, 4, 1, 5)
    for vector in (1, 6, None):
        if vector == 1:
            given = other.permute(0, 2, 3, 4, 5, 6, 1).contiguous().permute(0, 6, 1, 2, 3, 4, 5)
        else:
            given = other
        products.add((4, 7 + number, 5, 3, 2, 2, 2), 2, vector, deep, given, on_top=True)


def pixels(products):
    """Products of each pixel, whose rows lie one after the other: vectors run on through them.

    Returns:
        How many places they run through in each.
    """
    batch, filters, channels, height, width = 3, 7, 4, 3, 5
    image = products.random(batch, channels, height, width)
    grad = products.random(batch, filters, height, width)
    weight = products.random(1, filters, 1, 1, channels)
    forward = batch, filters, height, width, channels
    backward = filters, channels, batch, height, width
    seen = image.permute(0, 2, 3, 1).unsqueeze(1)
    columns, bias = products.random(1, 1, 1, width), products.random(1, filters, 1, 1)
    cut = products.random(batch, channels, height + 2, width)[:, :, 1:-1]
    cut = cut.permute(0, 2, 3, 1).unsqueeze(1)
    narrow = products.random(batch, channels, height, width + 2)[..., 1:-1]
    narrow = narrow.permute(0, 2, 3, 1).unsqueeze(1)
    products.add(forward, 4, 3, seen, weight)
    products.add(forward, 4, 3, seen, weight, bias)
    products.add(forward, 4, 3, seen, weight, on_top=True)
    products.add(forward, 4, 3, cut, weight)
    products.add(forward, 4, 3, seen, weight, columns)  # what a sum starts with begins anew
    products.add(forward, 4, 3, narrow, weight)
    of_filter, of_channel = grad.transpose(0, 1).unsqueeze(1), image.transpose(0, 1).unsqueeze(0)
    products.add(backward, 2, 4, of_filter, of_channel)
    one = products.random(1, filters, batch, height, width).transpose(0, 1)
    two = products.random(1, channels, batch, height, width)
    products.add(backward, 2, 4, one, two, products.random(1, channels))
    bordered = products.random(1, channels, batch, height, width + 2)
    products.add(backward, 2, 4, one, bordered[..., 1:-1])
    area = height * width
    return [area] * 4 + [width] * 2 + [area, batch * area, width]


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("lanes", LANES)
def test_vectors_run_on_where_strides_lead_on(lanes):
    products = Products(lanes, torch.float32)
    lengths = pixels(products)
    for (statement, *_), length in zip(products.checked, lengths, strict=True):
        printer = ProductPrinter(replace(statement), lanes, lambda slot, offset: "")
        assert printer.vector.size == length
    products.run()


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float", "double"])
@pytest.mark.parametrize(
    "lanes", [16, 4, *(pytest.param(lanes, marks=pytest.mark.slow) for lanes in (8, 1))]
)
def test_products(lanes, dtype):
    products = Products(lanes, dtype)
    images(products, 0)
    assert "k1" in printed(products.low, lanes).source  # two loops around the tiles that add
    for number, (rows, columns, depth) in enumerate(SQUARE[:: 2 if lanes == 16 else 4]):
        matrices(products, rows, columns, depth, number)
    products.run()


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float", "double"])
@pytest.mark.parametrize("lanes", LANES)
def test_products_of_every_size(lanes, dtype, part):
    products = Products(lanes, dtype)
    for number, (rows, columns, depth) in enumerate(EVERY[part::4]):
        matrices(products, rows, columns, depth, number)
    images(products, part)
    products.run()
