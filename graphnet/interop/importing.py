"""`from_torch`: a torch module as a graphnet module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch.utils import _pytree as pytree

from graphnet.errors import GraphError, counted
from graphnet.graph import Graph, Parameter
from graphnet.interop.capture import exported, is_averaging, tensors_of
from graphnet.interop.composites import taken_apart
from graphnet.interop.functional import steps_of
from graphnet.interop.imported import (
    ImportedModel,
    ImportedModule,
    Problem,
    class_named,
    described,
    floating_dtype,
)
from graphnet.interop.modes import foreign_writes, merged
from graphnet.interop.rules.creation import CONSTANT, CONSTANT_LIKE
from graphnet.interop.rules.random import SHAPED
from graphnet.interop.settings import hooks_of, options_of, settings_of
from graphnet.interop.steps import Leaf, Ref, Step, Steps, refs_in


def from_torch(
    module: Any, *example_inputs: Any, dynamic: Sequence[Sequence[int]] | None = None
) -> ImportedModel:
    """A `torch.nn.Module` as a graphnet module, which computes the same.

    Called with nodes it appends the operations of the torch module, under the names of its modules,
    and returns nodes nested as the torch module returns tensors. It serves both modes; parameters
    and buffers are copies, under torch's names. The torch module is left as it was.

    Args:
        module: the module.
        example_inputs: tensors that it takes, for their shapes and dtypes; not their values.
        dynamic: for each tensor among the examples, the dimensions whose sizes stay open; None
            leaves the first one open, so that batches of any size can be fed.

    Raises:
        GraphError: it is no torch module, or computes something that graphnet cannot; the message
            lists every such operation with its module and line.

    >>> import graphnet as gn, torch
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.ReLU(), torch.nn.Linear(5, 1))
    >>> model = gn.from_torch(net, torch.zeros(1, 2))
    >>> with gn.Graph() as graph:
    ...     y = model(gn.Input((None, 2), name="x"))
    >>> [node.name for node in graph if node.kind == "operation"]
    ['0.linear', '1.relu', '2.linear']
    >>> points = torch.rand(7, 2)
    >>> torch.allclose(graph.forward(x=points), net(points), atol=1e-6)
    True
    """
    if not isinstance(module, torch.nn.Module):
        raise GraphError(
            f"from_torch takes a torch.nn.Module and example inputs; got {type(module).__name__}."
        )
    names = _canonical(module)
    training, evaluation = (
        steps_of(taken_apart(exported(module, example_inputs, dynamic, mode)), names)
        for mode in (True, False)
    )
    counters = _refuse_foreign_writes(module, training, evaluation, names)
    averaging = {
        names[f"{name}.running_mean" if name else "running_mean"]
        for name, each in module.named_modules()
        if is_averaging(each)
    }
    steps = merged(training, evaluation, type(module).__name__)
    steps = _counting(steps, counters, averaging)
    model: ImportedModel = _modules(module)
    model.recorded_dtype = floating_dtype(model)
    model.steps = _with_constants(model, steps)
    model.examples, model.structure = _inputs(example_inputs, training)
    _try_out(model, module)
    return model


def _canonical(module: Any) -> dict[str, str]:
    """The first name of each parameter and buffer, by all its names."""
    first: dict[int, str] = {}
    return {
        name: first.setdefault(id(tensor), name)
        for name, tensor in [
            *module.named_parameters(remove_duplicate=False),
            *module.named_buffers(remove_duplicate=False),
        ]
    }


def _refuse_foreign_writes(
    module: Any, training: Steps, evaluation: Steps, names: Mapping[str, str]
) -> dict[str, str]:
    """Refuse writes to other buffers than those of normalizations.

    Returns:
        The counter of batches by the name of the running mean beside it.
    """
    counters = {
        names[f"{start}running_mean"]: names[f"{start}num_batches_tracked"]
        for start in (name.removesuffix("running_mean") for name in names)
        if f"{start}running_mean" in names and f"{start}num_batches_tracked" in names
    }
    wrong = sorted(
        {
            name
            for steps in (training, evaluation)
            for name in foreign_writes(steps, set(counters.values()))
        }
    )
    if wrong:
        raise GraphError(
            f"{type(module).__name__} writes to {', '.join(map(repr, wrong))} in forward. In a "
            "list of nodes only the running statistics of a normalization are written: return the "
            "new value instead, and write it outside."
        )
    return {mean: count for mean, count in counters.items() if count in training.writes}


def _counting(steps: Steps, counters: Mapping[str, str], averaging: set[str]) -> Steps:
    """The steps, with each batch normalization that counts batches given its counter.

    Those that average over all batches have no momentum.
    """
    numbers = {leaf.name: number for number, leaf in steps.leaves.items()}

    def changed(step: Step) -> Step:
        mean = step.args[3] if step.name == "batch_norm" else None
        leaf = steps.leaves.get(mean.number) if isinstance(mean, Ref) else None
        name = leaf.name if leaf else ""
        if name not in counters:
            return step
        momentum = None if name in averaging else step.args[6]
        args = (*step.args[:6], momentum, *step.args[7:])
        return replace(step, args=args, kwargs={"batches": Ref(numbers[counters[name]])})

    steps.steps = [changed(step) for step in steps.steps]
    return steps


def _modules(module: Any) -> Any:
    """The tree of modules with copies of parameters and buffers; shared ones stay shared."""
    made: dict[int, ImportedModule] = {}
    copies: dict[int, Parameter] = {}

    def copy_of(tensor: torch.Tensor, buffer: bool, persistent: bool) -> Parameter:
        if id(tensor) not in copies:
            learned = not buffer and tensor.dtype.is_floating_point
            copy = Parameter(tensor.detach(), requires_grad=learned, persistent=persistent)
            copy.requires_grad = learned and tensor.requires_grad
            copies[id(tensor)] = copy
        return copies[id(tensor)]

    for each in module.modules():
        kind = class_named(type(each).__name__, each is module)
        made[id(each)] = new = kind(type(each).__module__, settings_of(each))
        new.options, new.hooks = options_of(each), hooks_of(each)
        new.training = each.training
    for each in module.modules():
        held = made[id(each)].held
        for name, tensor in each._parameters.items():
            if tensor is not None:
                held[name] = copy_of(tensor, False, True)
        for name, tensor in each._buffers.items():
            if tensor is not None:
                held[name] = copy_of(tensor, True, name not in each._non_persistent_buffers_set)
        for name, child in each._modules.items():
            if child is not None:
                held[name] = made[id(child)]
    return made[id(module)]


def _with_constants(model: ImportedModel, steps: Steps) -> Steps:
    """The steps, with tensors that are always the same held by the model as constants."""
    kept = []
    for number, leaf in list(steps.leaves.items()):
        if leaf.kind == "constant":
            steps.leaves[number] = _hold(model, steps.constants[leaf.name])
    for step in steps.steps:
        if _is_constant(step):
            steps.leaves[step.number] = _hold(model, _computed(step))
        else:
            kept.append(_with_like(steps, step))
    steps.steps, steps.constants = kept, {}
    return steps


def _is_constant(step: Step) -> bool:
    """True for a step on numbers alone, but for a tensor of which only the dtype is read."""
    args = step.args[1:] if step.name in CONSTANT_LIKE else step.args
    return step.name in CONSTANT | CONSTANT_LIKE and not list(refs_in((args, step.kwargs)))


def _with_like(steps: Steps, step: Step) -> Step:
    """The step; random numbers in a shape of numbers get a tensor that says the device."""
    drawn = {step.name, step.target.removeprefix("aten.")} & SHAPED
    if not drawn or list(refs_in(step.args)):
        return step
    leaves = sorted(steps.leaves, key=lambda number: steps.leaves[number].kind != "input")
    return replace(step, kwargs={**step.kwargs, "like": Ref(leaves[0])}) if leaves else step


def _hold(model: ImportedModel, value: torch.Tensor) -> Leaf:
    """Let the model hold a constant, under a name that is free."""
    place = 0
    while (name := f"constant_{place}" if place else "constant") in model.held:
        place += 1
    model.held[name] = Parameter(value.detach(), requires_grad=False, persistent=False)
    return Leaf("state", name)


def _computed(step: Step) -> torch.Tensor:
    """The value of a step on numbers alone, such as a range."""
    function = getattr(torch.ops.aten, step.name)
    options = {name: value for name, value in step.kwargs.items() if name != "pin_memory"}
    args = step.args
    if step.name in CONSTANT_LIKE:
        args = (torch.empty((), dtype=step.dtype), *args[1:])
    found: torch.Tensor = getattr(function, step.target.rpartition(".")[2])(*args, **options)
    return found


def _inputs(
    examples: Sequence[Any], captured: Steps
) -> tuple[list[tuple[tuple[int | None, ...], Any, str]], Any]:
    """The shape, dtype and name of each input, and how they are nested."""
    tensors = tensors_of(examples)
    found = [
        (shape, tensor.dtype, name)
        for tensor, (name, shape) in zip(tensors, captured.inputs.items(), strict=True)
    ]
    places = iter(range(len(tensors)))
    structure = pytree.tree_map(
        lambda each: Ref(next(places)) if isinstance(each, torch.Tensor) else each, tuple(examples)
    )
    return found, structure


def _try_out(model: ImportedModel, module: Any) -> None:
    """Append the steps to a graph once, to find all that is wrong."""
    problems: list[Problem] = []
    with Graph() as graph, graph.scopes.restored():
        inputs = model.new_inputs()
        model._enter(graph)
        model.append_steps(inputs, problems)
    if problems:
        raise GraphError(_report(module, problems))


def _report(module: Any, problems: Sequence[Problem]) -> str:
    """All operations without a form here, once for each line and module."""
    classes = {name: type(each).__name__ for name, each in module.named_modules()}
    lines: dict[str, None] = {}
    for problem in problems:
        path = problem.step.path[-1].partition("@")[0] if problem.step.path else ""
        kind = f" ({classes.get(path, '')})" if path else ""
        why = f": {problem.why}" if problem.why else ""
        lines[f"  {described(problem.step)}{kind}{why}"] = None
    count = counted(len({problem.step.target for problem in problems}), "operation")
    return (
        f"{type(module).__name__} uses {count} of torch that graphnet cannot take:\n"
        + "\n".join(lines)
        + "\nReplace them in the torch module, or import its other parts; graphnet.Op adds an "
        "operation of your own."
    )
