"""Copies in another order: every number arrives, and nothing is written beside them."""

from __future__ import annotations

import ctypes

import pytest
import torch
from compile.targets.c.test_products import LANES
from compile.targets.fakes import real_compiler

import graphnet as gn
from graphnet.compile.lower.loops import Lowered, Map
from graphnet.compile.lower.scalars import Place, load
from graphnet.compile.plan.placement import Cells
from graphnet.compile.targets.c.printer import printed
from graphnet.compile.targets.c.toolchain import begin
from graphnet.compile.targets.c.transposing import Transposition

SIZES = [(16, 16), (17, 16), (16, 31), (33, 50), (64, 784), (2, 40), (40, 3), (15, 15)]


def copies(dtype):
    """Tensors, each with the order of axes in which it is copied, and a border around the copy."""
    generator = torch.Generator().manual_seed(0)
    shapes = [((rows, columns), (1, 0)) for rows, columns in SIZES]
    shapes += [((3, 20, 18), (0, 2, 1)), ((20, 3, 18), (2, 1, 0)), ((2, 17, 2, 19), (2, 3, 0, 1))]
    for shape, order in shapes:
        x = torch.rand(shape, generator=generator, dtype=torch.float64).to(dtype)
        wide = torch.rand((*shape[:-1], shape[-1] + 5), generator=generator, dtype=torch.float64)
        for each in (x, wide.to(dtype)[..., 2:-3], x[..., :1].expand(shape)):
            whole = torch.full((x.numel() + 128,), -1.0, dtype=dtype)
            back = [order.index(axis) for axis in range(len(order))]
            out = whole[64:-64].view([shape[axis] for axis in order]).permute(back)
            yield each, whole, out


def lowered_copies(cases):
    """A program that makes all of these copies."""
    cells, low, node = Cells(), Lowered(), gn.Graph().input((), name="copy")
    for x, _, out in cases:
        source = load(cells.slot(x))
        low.statements.append(Map(node, tuple(x.shape), source, Place(cells.slot(out))))
    return low


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("lanes", LANES)
def test_copies(lanes, dtype):
    real_compiler()
    cases = list(copies(dtype))
    low = lowered_copies(cases)
    found = [Transposition.of(each, lanes) is not None for each in low.statements]
    assert any(found) == (lanes > 1)
    assert not all(found)  # some are too small for a square
    program = printed(low, lanes)
    given = [each.memory.untyped_storage().data_ptr() for each in program.cells]
    scratch = torch.empty(program.scratch + 64, dtype=torch.uint8)
    step = begin(program.source).library().graphnet_step
    assert step((ctypes.c_void_p * len(given))(*given), None, None,
                ctypes.c_void_p(scratch.data_ptr())) == 0  # fmt: skip
    for x, whole, out in cases:
        assert out.equal(x), tuple(x.shape)
        border = torch.cat([whole[:64], whole[-64:]])
        assert border.equal(torch.full_like(border, -1.0)), f"{tuple(x.shape)} writes beside"


def test_what_is_no_plain_copy():
    """Another dtype, a sum on top of what is there, and a value that is computed."""
    cells, node = Cells(), gn.Graph().input((), name="copy")
    x, out = torch.ones(20, 20), torch.ones(20, 20).mT
    source, place = load(cells.slot(x)), Place(cells.slot(out))
    assert Transposition.of(Map(node, (20, 20), source, place), 16)
    others = [
        Map(node, (20, 20), load(cells.slot(x.double())), place),
        Map(node, (20, 20), source, place, adds=True),
        Map(node, (20, 20), source * 2.0, place),
        Map(node, (20, 20), load(cells.slot(x.mT)), place),
    ]
    assert [Transposition.of(each, 16) for each in others] == [None] * 4
