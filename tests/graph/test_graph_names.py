"""Names of nodes, and the graph to which new nodes go."""

from __future__ import annotations

import threading

import pytest
import torch

import graphnet as gn

# names


def test_names_are_counted_up_when_they_are_taken():
    graph = gn.Graph()
    x = graph.input((2,), name="tanh_1")
    names = [x.tanh().name for _ in range(4)]
    assert names == ["tanh", "tanh_2", "tanh_3", "tanh_4"]
    values = [graph.parameter(torch.ones(1)).name for _ in range(3)]
    assert values == ["parameter", "parameter_1", "parameter_2"]


def test_a_parameter_is_called_by_its_name_in_the_graph():
    class Scale(gn.Module):
        def __init__(self):
            self.gain = gn.Parameter(torch.ones(3), name="a label of its own")

        def build(self, x):
            return x * self.gain

    graph = gn.Graph()
    Scale()(graph.input((None, 3), name="x"))
    parameter = graph["gain"]
    assert str(parameter) == "node 1 'gain'"
    assert repr(parameter) == "<parameter 'gain' (3,)>"


def test_modules_name_their_nodes_by_their_path():
    class Net(gn.Module):
        def __init__(self):
            self.encoder = gn.Sequential(gn.Linear(2, 3), gn.Tanh())
            self.scale = gn.Parameter(torch.ones(3))

        def build(self, x):
            return self.encoder(x) * self.scale

    net = Net()
    with gn.Graph() as graph:
        x, t = gn.Input((None, 2), name="x"), gn.Input((None, 3), name="t")
        first = net(x)
        gn.LossMSE()(first, t)
        net(x)
        gn.Linear(2, 2)(x)
        gn.Linear(2, 2)(x)
    assert [node.name for node in graph] == [
        *["x", "t", "scale", "encoder.0.weight", "encoder.0.bias", "encoder.0.linear"],
        *["encoder.1.tanh", "mul", "lossmse.squared_error", "lossmse.mean"],
        *["encoder.0.linear_1", "encoder.1.tanh_1", "mul_1"],
        *["linear.weight", "linear.bias", "linear.linear"],
        *["linear_1.weight", "linear_1.bias", "linear_1.linear"],
    ]
    assert graph["encoder.0.weight"] is net.encoder[0].weight
    graph.lint()


# the current graph


def test_blocks_nest():
    outer, inner = gn.Graph(), gn.Graph()
    with outer as entered:
        assert entered is outer
        gn.Input((1,), name="a")
        with inner:
            gn.Input((1,), name="b")
            with outer:
                gn.Input((1,), name="c")
            gn.Input((1,), name="d")
        gn.Input((1,), name="e")
    assert [node.name for node in outer] == ["a", "c", "e"]
    assert [node.name for node in inner] == ["b", "d"]


def test_a_block_that_fails_is_left():
    outer, inner = gn.Graph(), gn.Graph()
    with outer:
        with pytest.raises(ZeroDivisionError), inner:
            raise ZeroDivisionError
        assert gn.Input((1,), name="x").graph is outer
    with pytest.raises(gn.GraphError, match="no graph to append to"):
        gn.Input((1,), name="x")


def test_parameters_alone_append_to_the_current_graph():
    a, b = gn.Parameter(torch.ones(2), name="a"), gn.Parameter(torch.ones(2), name="b")
    with gn.Graph() as graph:
        total = a + b
    assert list(graph) == [a, b, total]
    assert (a * 2).graph is graph  # a stands in one graph only, so that one is meant


def test_nodes_append_to_their_own_graph_whatever_the_block():
    graph, other = gn.Graph(), gn.Graph()
    x = graph.input((2,), name="x")
    with other:
        node = x * 2
    assert node.graph is graph
    assert len(other) == 0


def test_each_thread_has_its_own_current_graph():
    failures, started = [], threading.Barrier(2, timeout=20)

    def build(name):
        try:
            with pytest.raises(gn.GraphError):
                gn.Input((1,), name=name)  # the block of the main thread is not seen here
            with gn.Graph() as graph:
                started.wait()
                for count in range(50):
                    assert gn.Input((1,), name=f"{name}{count}").graph is graph
                started.wait()
                assert len(graph) == 50
        except BaseException as failure:
            failures.append(failure)

    with gn.Graph() as main:
        threads = [threading.Thread(target=build, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert not failures
    assert len(main) == 0


def test_two_threads_may_stand_in_blocks_of_one_graph():
    graph, failures = gn.Graph(), []
    entered, left = [threading.Event(), threading.Event()], threading.Event()

    def stay(number):
        try:
            with graph:
                entered[number].set()
                assert entered[1 - number].wait(20)
                assert number == 0 or left.wait(20)  # the first to enter is the first to leave
                assert gn.Input((1,), name=f"inside {number}").graph is graph
            left.set()
            with pytest.raises(gn.GraphError):
                gn.Input((1,), name="outside")
        except BaseException as failure:
            failures.append(failure)
        finally:
            left.set()

    threads = [threading.Thread(target=stay, args=(number,)) for number in range(2)]
    threads[0].start()
    assert entered[0].wait(20)
    threads[1].start()
    for thread in threads:
        thread.join(30)
    assert not failures
    assert len(graph) == 2
