"""The C on the page about native code is what the printer prints."""

from __future__ import annotations

import re
from pathlib import Path

import torch

import graphnet as gn
from graphnet.compile.ir.build import Clip, Update, training_program
from graphnet.compile.lower.lowering import lowered
from graphnet.compile.passes import optimize
from graphnet.compile.run.settings import VaryingSettings
from graphnet.compile.targets.c.printer import printed

PAGE = Path(__file__).parents[3] / "docs" / "native.md"
LANES = 16


def program():
    with gn.Graph() as graph:
        x = gn.Input((None, 2), name="x")
        t = gn.Input((None, 2), name="t")
        y = gn.Sequential(gn.Linear(2, 25), gn.Tanh(), gn.Linear(25, 2))(x)
        loss = gn.LossMSE()(y, t)
    optimizer = gn.SGD(graph.parameters(), lr=0.1)
    buckets = optimizer.buckets()
    settings = VaryingSettings(optimizer)
    numbers = settings.of_all(buckets)
    known = [each.group | given for each, given in zip(buckets, numbers, strict=True)]
    arguments = [settings.arguments(each) for each in known]
    update = Update(optimizer, buckets, known, arguments, Clip(), fast=False)
    shapes = {"x": (50, 2), "t": (50, 2)}
    return optimize(training_program(graph, [loss], shapes, update, add=False))


def test_each_piece_stands_in_the_source_in_this_order():
    torch.manual_seed(0)
    source, place = printed(lowered(program()), LANES).source, 0
    pieces = re.findall(r"```c\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(pieces) >= 6
    for piece in pieces:
        found = source.find(piece.rstrip(), place)
        assert found >= 0, piece
        place = found
