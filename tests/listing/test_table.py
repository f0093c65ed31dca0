"""The table of a list: `print(graph)`."""

from __future__ import annotations

import torch
from scenes import RAILS_OF_SHARED_WEIGHT, shared_weight

import graphnet as gn


def test_columns_with_nothing_in_them_are_left_out():
    header = str(shared_weight()).splitlines()[0].split()
    assert header == ["#", "kind", "name", "computes", "shape", "parameters", "bytes", "|top|"]
    graph = gn.Graph()
    graph.input((2,), name="x").tanh()
    assert str(graph).splitlines()[0].split()[-1] == "shape"
    graph.forward(x=torch.ones(2))
    assert str(graph).splitlines()[0].split()[-2:] == ["bytes", "|top|"]


def test_a_line_tells_norms_and_bytes():
    graph = shared_weight()
    graph.forward(a=torch.ones(5, 4), b=torch.zeros(5, 4))
    graph.backward(graph[-1])
    lines = str(graph).splitlines()
    assert lines[0].split()[-4:] == ["parameters", "bytes", "|top|", "|grad|"]
    a, w = lines[1].split(), lines[3].split()
    assert a[-2:] == ["80", "4.47"]  # 20 numbers of 4 bytes, √20; an input has no gradient
    assert w[-4] == "12"
    assert w[-3] == "96"
    assert w[-1] == f"{float(graph['w'].grad.norm()):.3g}"
    assert "matmul(a, w)" in lines[4]


def test_rails_join_a_line_to_what_it_reads():
    lines = str(shared_weight()).splitlines()[1:]
    assert [line.split("  ")[0].rstrip() for line in lines] == RAILS_OF_SHARED_WEIGHT


def test_a_name_cannot_move_the_cursor():
    graph = gn.Graph()
    graph.input((2,), name="two\nlines\x1b[31m")
    assert len(str(graph).splitlines()) == 2
    assert "\x1b" not in str(graph)


def test_the_loss_is_the_number_that_was_walked_back_from():
    graph = gn.Graph()
    x = graph.input((3,), name="x")
    loss = x.square().sum()
    x.abs().mean()  # a metric
    assert [line[0] for line in str(graph).splitlines()[1:]].count("◎") == 1
    assert str(graph).splitlines()[-1].startswith("◎")
    graph.forward(x=torch.ones(3))
    graph.backward(loss)
    assert "◎" in str(graph).splitlines()[1 + loss.index]
    assert str(graph).count("◎") == 1


def test_a_norm_too_large_for_the_squares_of_its_numbers():
    graph = gn.Graph()
    graph.input((4,), name="x")
    graph.forward(x=torch.full((4,), 1e30))
    assert str(graph).splitlines()[-1].split()[-1] == "2e+30"
