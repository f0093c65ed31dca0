"""A training step of one network, in graphnet and in torch.nn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

import graphnet as gn
from graphnet.bench.networks import BATCHES, Workload

if TYPE_CHECKING:
    from graphnet.bench.networks import Network


SEVERAL = 20
"""The steps of one call, if several are made: as often as there are batches, five times."""
LONG = 1_000_000
"""The steps of a long training."""
OURS = ("walk", "program", "calls of torch", "many")
"""The contestants of graphnet."""


@dataclass
class Contestant:
    """A framework, in one form, that makes training steps.

    Attributes:
        step: makes a step with the batch of this number, or several with it and those after it.
        values: the current parameters, under torch.nn's names and shapes.
        note: its form, if there are several.
        finish: waits until the last step is done.
        several: how many steps one call makes.
    """

    step: Callable[[int], object]
    values: Callable[[], Mapping[str, Any]]
    note: str = ""
    finish: Callable[[], object] = lambda: None
    several: int = 1


# graphnet


def make_layers(network: Network, library: Any) -> list[Any]:
    """The layers as modules of graphnet or torch.nn, which have the same names."""
    return [getattr(library, layer.kind)(*layer.arguments) for layer in network.layers]


def make_optimizer(network: Network, library: Any, model: Any, **form: Any) -> Any:
    """The optimizer of graphnet or torch.optim; the form says how it goes through parameters."""
    if network.optimizer == "adam":
        return library.Adam(model.parameters(), lr=network.rate, **form)
    return library.SGD(model.parameters(), lr=network.rate, momentum=0.9, **form)


def listed(workload: Workload) -> tuple[gn.Module, gn.Graph, gn.Node, gn.SGD | gn.Adam]:
    """The network as a list of nodes: the model, its graph, the loss, the optimizer."""
    network = workload.network
    model = gn.Sequential(*make_layers(network, gn))
    model.load_state_dict(workload.start)
    with gn.Graph() as graph:
        x = gn.Input((None, *network.sample), name="x")
        if network.loss == "mse":
            loss = gn.LossMSE()(model(x), gn.Input((None, network.outputs), name="t"))
        else:
            labels = gn.Input((None,), name="t", dtype=torch.int64)
            loss = gn.LossCrossEntropy()(model(x), labels)
    return model, graph, loss, make_optimizer(network, gn, model)


def walk(workload: Workload) -> list[Contestant]:
    """The walk over the list."""
    model, graph, loss, optimizer = listed(workload)
    xs, ts = workload.xs, workload.ts

    def step(number: int) -> None:
        graph.forward(x=xs[number], t=ts[number])
        graph.backward(loss)
        optimizer.step()

    return [Contestant(step, model.state_dict)]


def program(workload: Workload, backend: str | None = None) -> list[Contestant]:
    """The compiled program; without a backend, in the form that a long training takes."""
    model, graph, loss, optimizer = listed(workload)
    compiled = graph.compile(loss, optimizer, backend=backend, calls=LONG)
    xs, ts = workload.xs, workload.ts
    return [Contestant(lambda n: compiled(x=xs[n], t=ts[n]), model.state_dict)]


def many(workload: Workload) -> list[Contestant]:
    """The same, several steps in one call."""
    model, graph, loss, optimizer = listed(workload)
    compiled = graph.compile(loss, optimizer, calls=LONG)
    xs, ts = (torch.stack(each * (SEVERAL // BATCHES)) for each in (workload.xs, workload.ts))
    return [Contestant(lambda _: compiled.many(x=xs, t=ts), model.state_dict, several=SEVERAL)]


# torch.nn


def torch_model(workload: Workload) -> tuple[torch.nn.Module, torch.nn.Module]:
    """The model and the loss."""
    model = torch.nn.Sequential(*make_layers(workload.network, torch.nn))
    model.to(next(iter(workload.start.values())).dtype)
    model.load_state_dict(workload.start)
    mse = workload.network.loss == "mse"
    return model, torch.nn.MSELoss() if mse else torch.nn.CrossEntropyLoss()


def torch_nn(workload: Workload, *, channels_last: bool = False) -> list[Contestant]:
    """torch.nn, autograd and torch.optim, with the optimizer in each of its forms."""
    forms = ({"fused": True}, {"foreach": True}, {"foreach": False})
    return [_eager(workload, form, channels_last) for form in forms]


def _eager(
    workload: Workload, form: dict[str, bool], channels_last: bool = False, compiled: bool = False
) -> Contestant:
    """Gradients by autograd; if compiled, model and loss are compiled with their derivatives."""
    model, loss = torch_model(workload)
    xs, ts = workload.xs, workload.ts
    if channels_last:
        cast("Any", model).to(memory_format=torch.channels_last)  # not in all of torch's types
        xs = [x.contiguous(memory_format=torch.channels_last) for x in xs]
    optimizer = make_optimizer(workload.network, torch.optim, model, **form)

    def loss_of(x: Tensor, t: Tensor) -> Any:
        return loss(model(x), t)

    compute = torch.compile(loss_of) if compiled else loss_of

    def step(number: int) -> None:
        optimizer.zero_grad()
        compute(xs[number], ts[number]).backward()
        optimizer.step()

    ((name, value),) = form.items()
    note = f"optimizer {name if value else 'one parameter at a time'}"
    note = "model and loss" if compiled else note
    return Contestant(torch.enable_grad()(step), model.state_dict, note)


def torch_compile(workload: Workload) -> list[Contestant]:
    """torch.compile of model and loss, with the fused optimizer, and of the whole step."""
    return [_eager(workload, {"fused": True}, compiled=True), _compiled_step(workload)]


def _compiled_step(workload: Workload) -> Contestant:
    """One compiled function: loss, gradients by torch.func, update in place."""
    model, loss = torch_model(workload)
    values = {name: value.clone() for name, value in workload.start.items()}
    state = [{name: torch.zeros_like(value) for name, value in values.items()} for _ in range(2)]
    steps = torch.zeros(())
    adam, rate = workload.network.optimizer == "adam", workload.network.rate

    def whole(x: Tensor, t: Tensor) -> Tensor:
        def loss_of(values: dict[str, Tensor]) -> Tensor:
            output: Tensor = loss(torch.func.functional_call(model, values, (x,)), t)
            return output

        grads: dict[str, Tensor]
        value: Tensor
        grads, value = torch.func.grad_and_value(loss_of)(values)
        steps.add_(1)
        for name, parameter in values.items():
            first, second = (each[name] for each in state)
            if adam:
                adam_update(parameter, grads[name], first, second, steps, rate)
            else:
                first.mul_(0.9).add_(grads[name])
                parameter.sub_(first, alpha=rate)
        return value

    compiled = torch.compile(whole, fullgraph=True)
    xs, ts = workload.xs, workload.ts
    return Contestant(lambda n: compiled(xs[n], ts[n]), lambda: values, "whole step")


def adam_update(
    parameter: Tensor, grad: Tensor, first: Tensor, second: Tensor, steps: Tensor, rate: float
) -> None:
    """Adam with torch's defaults, in place."""
    first.lerp_(grad, 0.1)
    second.mul_(0.999).addcmul_(grad, grad, value=0.001)
    deviation = (second / (1 - 0.999**steps)).sqrt().add(1e-8)
    parameter.sub_(rate / (1 - 0.9**steps) * first / deviation)


def reference(workload: Workload, steps: int) -> dict[str, Tensor]:
    """The parameters after this many steps of torch.nn and autograd in float64."""
    start = {name: value.double() for name, value in workload.start.items()}
    xs = [x.double() for x in workload.xs]
    ts = [t.double() if t.is_floating_point() else t for t in workload.ts]
    exact = _eager(Workload(workload.network, start, xs, ts), {"foreach": False})
    for number in range(steps):
        exact.step(number % len(xs))
    return dict(exact.values())


TORCH: dict[str, Callable[[Workload], list[Contestant]]] = {
    "walk": walk,
    "program": program,
    "calls of torch": lambda workload: program(workload, "torch"),
    "many": many,
    "torch.nn": torch_nn,
    "channels last": lambda workload: torch_nn(workload, channels_last=True),
    "torch.compile": torch_compile,
}
"""The contestants of torch's process. Each returns its forms; the fastest of them takes part."""
