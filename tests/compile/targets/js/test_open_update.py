"""The update of a parameter of any size, as a page calls it."""

from __future__ import annotations

import js
import pytest
import torch

import graphnet as gn
from graphnet.compile.targets.js.open_update import printed_update
from graphnet.compile.targets.js.program import source_of
from graphnet.errors import GraphError

STEPS = 8
SCRIPT = """
return given.sizes.map((size, at) => {
  const state = { parameter: given.first[at] };
  const update = createUpdate(size, state);
  for (const gradient of given.gradients[at]) {
    update.gradients[0].set(gradient);
    for (const { run } of update.update) run();
  }
  return state.parameter;
});
"""
OPTIMIZERS = {
    "SGD": lambda w: gn.SGD(w, lr=0.1),
    "SGD with momentum": lambda w: gn.SGD(w, lr=0.1, momentum=0.9, weight_decay=0.01),
    "Adam": lambda w: gn.Adam(w, lr=0.01, betas=(0.8, 0.99)),
    "RAdam": lambda w: gn.RAdam(w, lr=0.01, betas=(0.9, 0.99)),
    "Adagrad": lambda w: gn.Adagrad(w, lr=0.01, initial_accumulator_value=0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_parameters_of_all_sizes_are_updated_as_in_python(name):
    made, sizes, generator = OPTIMIZERS[name], [1, 5, 12, 30], torch.Generator().manual_seed(0)
    first = [torch.randn(size, generator=generator) for size in sizes]
    gradients = [torch.randn(STEPS, size, generator=generator) for size in sizes]
    program = printed_update(made([gn.Parameter(torch.zeros(3))]))
    given = {"sizes": sizes, "first": first, "gradients": [[*each] for each in gradients]}
    source = source_of([program])  # it has a function called `given`, as the script has numbers
    made_there = f"const createUpdate = (() => {{ {source}\nreturn createUpdate; }})();\n"
    found = js.run(made_there + SCRIPT, **given)
    for values, start, each in zip(found, first, gradients, strict=True):
        parameter = gn.Parameter(start.clone())
        optimizer = made([parameter])
        for gradient in each:
            parameter.grad = gradient.clone()
            optimizer.step()
        torch.testing.assert_close(values, parameter.top, rtol=1e-5, atol=1e-6)


def test_the_numbers_are_those_of_the_optimizer():
    program = printed_update(OPTIMIZERS["Adam"]([gn.Parameter(torch.zeros(3))]), "createAdam")
    assert program.numbers == {
        "lr": 0.01, "beta1": 0.8, "beta2": 0.99, "eps": 1e-8, "weight_decay": 0.0,
    }  # fmt: skip
    assert "function createAdam(batch, state)" in program.create
    assert "forward" not in program.create


def test_an_update_that_depends_on_the_size_is_refused():
    class Shrinking(gn.Optimizer):
        def update(self, group, step, value, grad, *_, **state):
            value.add_(grad, alpha=-group["lr"] / value.numel() ** 1.5)

    with pytest.raises(GraphError, match="update of Shrinking differs from size to size"):
        printed_update(Shrinking([gn.Parameter(torch.zeros(3))], lr=0.1))
