"""What a GPU computes is what the processor computes: `pytest -m gpu`, on a machine with one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from gpu.test_placement import NETWORKS, network

import graphnet as gn

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
]
CLOSE = {"rtol": 1e-9, "atol": 1e-9}  # float64: only the order of sums differs


def steps(name, device, backend):
    """The losses of a few steps, and the parameters, on a device; None walks."""
    torch.manual_seed(0)
    model, graph, loss, shape = network(name)
    model.double()
    for module in model.modules():
        if isinstance(module, gn.Dropout):
            module.eval()  # other devices draw other numbers
    model, graph, loss = rebuilt(model, shape)
    model.to(device)
    adam, losses = gn.Adam(model.parameters(), lr=0.01), []
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(6, *shape, generator=generator, dtype=torch.float64).to(device)
    t = torch.randint(3, (6,), generator=generator).to(device)
    step = None if backend is None else graph.compile(loss, adam, backend=backend)
    for _ in range(4):
        if step is None:
            losses.append(graph.forward(x=x, t=t, outputs=loss))
            graph.backward(loss)
            adam.step()
        else:
            losses.append(step(x=x, t=t))
    return [float(each) for each in losses], {k: v.cpu() for k, v in model.state_dict().items()}


def rebuilt(model, shape):
    """The list of a model whose dtype has changed."""
    with gn.Graph() as graph:
        x = gn.Input((None, *shape), name="x", dtype=torch.float64)
        t = gn.Input((None,), name="t", dtype=torch.int64)
        loss = gn.LossCrossEntropy()(model(x), t)
    return model, graph, loss


@pytest.mark.parametrize("backend", [None, "torch", "eager", "cudagraph"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_gpu_makes_the_same_steps(name, backend):
    losses, state = steps(name, "cuda", backend)
    expected, known = steps(name, "cpu", "torch")
    assert losses == pytest.approx(expected, rel=1e-9)
    for key, value in known.items():
        torch.testing.assert_close(state[key], value, **CLOSE)


def trained(device, across=False, directory=None, epochs=3):
    """A training run whose data stay on the processor."""
    points, labels = gn.data.disk(200, torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    model = gn.Sequential(gn.Linear(2, 16), gn.BatchNorm1d(16), gn.Tanh(), gn.Linear(16, 2))
    model.double().to(device)
    history = gn.fit(
        model, gn.LossCrossEntropy(), (points.double(), labels),
        gn.SGD(model.parameters(), lr=0.1, momentum=0.9), epochs=epochs, batch_size=30, seed=0,
        validation_split=0.2, metrics=[gn.metrics.accuracy], across=across, directory=directory,
    )  # fmt: skip
    return history, {name: value.cpu() for name, value in model.state_dict().items()}


def test_fit_trains_on_the_device_of_the_model(tmp_path):
    history, state = trained("cuda")
    expected, known = trained("cpu")
    assert list(history.losses) == pytest.approx(list(expected.losses), rel=1e-9)
    for key, value in known.items():
        torch.testing.assert_close(state[key], value, **CLOSE)
    trained("cuda", directory=tmp_path, epochs=2)
    _, again = trained("cuda", directory=tmp_path)
    for key, value in state.items():
        torch.testing.assert_close(again[key], value, rtol=0, atol=0)


def test_dropout_draws_from_the_seed():
    def once():
        torch.manual_seed(0)
        return gn.ops.dropout(torch.ones(1000, device="cuda"), 0.5)

    assert once().equal(once()) and 400 < int((once() > 0).sum()) < 600


PROGRAM = """
import torch, graphnet as gn
from gpu.test_gpu import trained
group = gn.distributed.join(timeout=60)
assert group.device.type == "cuda", group
_, found = trained(group.device, across=True)
_, known = trained(group.device)
worst = max(float((found[name] - known[name]).double().abs().max()) for name in known)
assert worst < 1e-9, worst
"""


def test_every_gpu_takes_its_rows(tmp_path):
    """By nccl, with a process for each GPU of this machine."""
    file = tmp_path / "train.py"
    file.write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    done = subprocess.run(
        [*command, str(torch.cuda.device_count()), str(file)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
