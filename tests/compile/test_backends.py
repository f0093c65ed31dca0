"""The program as a pure function, run as it is, through torch.compile, and as a CUDA graph."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn

BATCHES = [7, 7, 4, 7, 1]


def small_net(device="cpu", dtype=torch.float64):
    torch.manual_seed(0)
    # Before batch norm, a bias has a gradient of rounding alone, of which Adam makes large steps.
    first = gn.Linear(3, 5, bias=False)
    model = gn.Sequential(first, gn.BatchNorm1d(5), gn.Tanh(), gn.Linear(5, 2))
    model.to(device, dtype)
    with gn.Graph() as graph:
        x, t = (
            gn.Input((None, 3), name="x", dtype=dtype),
            gn.Input((None, 2), name="t", dtype=dtype),
        )
        y = model(x)
        loss = gn.LossMSE()(y, t)
    return model, graph, y, loss, gn.Adam(model.parameters(), lr=0.01)


def feed(rows, seed, device="cpu", dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    pair = (torch.randn(rows, size, generator=generator, dtype=dtype) for size in (3, 2))
    return dict(zip("xt", (each.to(device) for each in pair), strict=True))


def train_beside_the_walk(backend, batches, device="cpu", dtype=torch.float64, close=1e-9):
    model, graph, _, loss, adam = small_net(device, dtype)
    twin, other, _, other_loss, other_adam = small_net(device, dtype)
    step = graph.compile(loss, adam, backend=backend, max_norm=1.0)
    for number, rows in enumerate(batches):
        fed = feed(max(rows, 2), number, device, dtype)
        adam.lr = other_adam.lr = 0.01 / (number + 1)
        mine, expected = step(fed), other.forward(fed, outputs=other_loss).clone()
        other.backward(other_loss)
        gn.optim.clip_grad_norm_(twin.parameters(), 1.0)
        other_adam.step()
        torch.testing.assert_close(mine, expected, rtol=close, atol=close)
    for name, value in twin.state_dict().items():
        torch.testing.assert_close(
            model.state_dict()[name], value, rtol=close, atol=close, msg=name
        )


def test_eager_steps_equal_walked_ones():
    train_beside_the_walk("eager", BATCHES * 10)


def test_eager_prediction():
    model, graph, y, _, _ = small_net()
    graph.eval()
    model.eval()
    x = feed(4, 0)["x"]
    torch.testing.assert_close(graph.compile(y, backend="eager")(x=x), model(x), rtol=0, atol=1e-12)


def test_an_error_leaves_all_as_it_was():
    model, graph, _, loss, adam = small_net()
    step = graph.compile(loss, adam, backend="eager")
    step(feed(4, 0))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    bad = feed(4, 1)
    bad["x"][0, 0] = float("nan")
    with pytest.raises(gn.NonFiniteError, match="'x'"):
        step(bad)
    for name, value in model.state_dict().items():
        assert value.equal(before[name]), name


def test_a_backend_that_is_not_known():
    _, graph, _, loss, adam = small_net()
    with pytest.raises(gn.GraphError, match="'eager', 'inductor', 'cudagraph' or None; got 'cuda'"):
        graph.compile(loss, adam, backend="cuda")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # torch's own, of itself
def test_inductor_steps_equal_walked_ones():
    # float32: C++ kernels sum in another order than torch's
    train_beside_the_walk("inductor", [7] * 6, dtype=torch.float32, close=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_cuda_graph_steps_equal_walked_ones():
    train_beside_the_walk("cudagraph", [7] * 20, device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_the_lines_on_a_cuda_device_equal_walked_ones():
    train_beside_the_walk(None, BATCHES, device="cuda")
