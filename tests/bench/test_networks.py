"""The networks of the benchmark: sizes, operations, and the same parameters for everyone."""

from __future__ import annotations

from math import prod

import pytest
import torch

import graphnet as gn
from graphnet.bench import contestants, limit, report
from graphnet.bench.networks import (
    BATCHES,
    NETWORKS,
    Layer,
    Network,
    Workload,
    convolutions,
    dense,
    read_workload,
    write_workload,
)
from graphnet.bench.turns import TOLERANCE

SMALL = [
    Network("d", "d", (2,), dense((2, 5, 2), "Tanh"), 6, "mse"),
    Network("a", "a", (7,), dense((7, 5, 3), "ReLU"), 6, optimizer="adam"),
    Network(
        "i", "i", (2, 10, 10), (*convolutions((2, 3, 4), 3), *dense((4, 6, 2), "ReLU")), 6
    ),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _grad_mode():
    with torch.no_grad():
        yield


def task_of(network):
    return Workload(network, network.first_values(), *network.data())


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_a_description_is_what_torch_makes_of_it(network):
    model = torch.nn.Sequential(*contestants.make_layers(network, torch.nn))
    values = network.first_values()
    assert {name: value.shape for name, value in model.state_dict().items()} == {
        name: value.shape for name, value in values.items()
    }
    xs, ts = network.data()
    assert len(xs) == len(ts) == BATCHES
    x, shape = xs[0][:3], network.sample
    for layer, module in zip(network.layers, model, strict=True):
        x, shape = module(x), layer.after(shape)
        assert x.shape[1:] == shape
    assert shape == (network.outputs,)


@pytest.mark.parametrize(
    ("name", "products"),
    [
        # samples * (2 for the first layer, 3 for others: forward, weight, input)
        ("disk-50", 50 * (2 * 2 * 25 + 3 * (25 * 25 * 2 + 25 * 2))),
        ("mlp-1024", 512 * (2 * 784 * 1024 + 3 * (1024 * 1024 + 1024 * 10))),
        (
            "pairs",
            100 * (2 * 144 * 18 * 32 + 3 * (16 * 288 * 64 + 256 * 200 + 200 * 2)),
        ),
    ],
)
def test_operations_are_two_for_each_product(name, products):
    assert NETWORKS[name].operations == 2 * products


def test_lenet_is_flattened_to_1024():
    network = NETWORKS["lenet"]
    flat = next(n for n, layer in enumerate(network.layers) if layer.kind == "Flatten")
    assert network.layers[flat + 1] == Layer("Linear", (1024, 512))
    assert sum(prod(layer.weight) for layer in network.layers if layer.weight) == 581_408


JAX = [pytest.param(name, marks=pytest.mark.slow) for name in ("JAX jit", "JAX scan")]
OURS = ["walk", "calls of torch", "program", "many"]


@pytest.mark.parametrize("network", SMALL, ids=["tanh", "adam", "images"])
@pytest.mark.parametrize("name", [*OURS, "torch.nn", "channels last", *JAX])
def test_everyone_ends_with_the_same_parameters(network, name):
    if name == "channels last" and not network.images:
        return
    workload, steps = task_of(network), contestants.SEVERAL
    if name.startswith("JAX"):
        pytest.importorskip("jax", reason="the extra `bench` is not installed")
        from graphnet.bench.jax_step import jax_jit

        forms = jax_jit(workload, scan=name == "JAX scan")
    else:
        forms = contestants.TORCH[name](workload)
    exact = contestants.reference(workload, steps)
    for form in forms:
        for number in range(0, steps, form.several):
            form.step(number % BATCHES)
        form.finish()
        values = {key: torch.tensor(value.tolist()) for key, value in form.values().items()}
        assert workload.distance(values, exact) <= TOLERANCE, form.note


def test_the_tolerance_finds_a_forgotten_batch():
    workload = task_of(SMALL[0])
    exact = contestants.reference(workload, 10)
    assert workload.distance(contestants.reference(workload, 9), exact) > 10 * TOLERANCE


def test_adam_of_the_whole_step_is_that_of_torch():
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(9, generator=generator, dtype=torch.float64)
    ours = start.clone()
    theirs = torch.nn.Parameter(start.clone())
    optimizer = torch.optim.Adam([theirs], lr=0.01)
    first, second, steps = torch.zeros_like(ours), torch.zeros_like(ours), torch.zeros(())
    for _ in range(20):
        grad = torch.randn(9, generator=generator, dtype=torch.float64)
        contestants.adam_update(ours, grad, first, second, steps.add_(1), 0.01)
        theirs.grad = grad
        optimizer.step()
    # 1 - 0.999**steps is a float32 tensor there: 6e-8 / 0.001 of the first update
    assert torch.allclose(ours, theirs.data, rtol=0, atol=1e-6)


def test_a_task_is_the_same_in_another_process(tmp_path):
    network = SMALL[1]
    wrote, read = write_workload(network, tmp_path), read_workload(network, tmp_path)
    for a, b in zip([*wrote.xs, *wrote.ts], [*read.xs, *read.ts], strict=True):
        assert a.equal(b)
    assert all(wrote.start[name].equal(value) for name, value in read.start.items())


def test_the_limit_with_a_compiler_and_without(tmp_path, monkeypatch):
    monkeypatch.setattr(limit, "ROUNDS", 100)
    monkeypatch.setattr(limit, "SIDE", 8)
    folders = [tmp_path / "with", tmp_path / "without"]
    for folder in folders:
        folder.mkdir()
    limit.build(folders[0])
    monkeypatch.setenv("PATH", "")
    limit.build(folders[1])
    assert not list(folders[1].iterdir())
    for folder in folders:
        found = limit.limits(folder, 2)
        compiled = (folder / "limit.so").exists()
        assert {each.note for each, _ in found} == {limit.KERNEL if compiled else limit.PRODUCT}
        for contestant, operations in found:
            contestant.step(0)
            assert operations > 0


def test_versions_and_machine_are_said():
    assert report.machine()
    assert gn.__version__ in report.circumstances([])
    assert torch.__version__ in report.circumstances([])
