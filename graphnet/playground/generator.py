"""What a page needs to make other networks of its kind by itself: dense layers, one after another.

Nothing is evaluated in a page, so the parts of such networks are printed here, each for any size:
every activation, every loss that fits the targets, and the update by the optimizer. The page puts
them together with dense layers of its own (`dense.js`), names their nodes as Python would, and
fills in the texts of the formulas below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from graphnet.compile.targets.js.open_update import printed_update
from graphnet.compile.targets.js.program import printed
from graphnet.data import one_hot
from graphnet.formulas.operation import Formulas
from graphnet.graph import Graph, Input, Operation
from graphnet.layers import Linear, Module, ReLU, Sequential, Sigmoid, Tanh
from graphnet.losses import LossBCEWithLogits, LossCrossEntropy, LossL1, LossMSE
from graphnet.playground.classes import Classes, classes_of
from graphnet.playground.nodes import node_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from graphnet.compile.targets.js.program import PrintedProgram
    from graphnet.graph import Node
    from graphnet.losses import Loss
    from graphnet.playground.task import Task

ACTIVATIONS: dict[str, type[Module]] = {"Tanh": Tanh, "ReLU": ReLU, "Sigmoid": Sigmoid}
LOSSES: dict[str, type[Loss]] = {
    "LossMSE": LossMSE,
    "LossL1": LossL1,
    "LossCrossEntropy": LossCrossEntropy,
    "LossBCEWithLogits": LossBCEWithLogits,
}
MOST_LAYERS = 8
"""Hidden layers of a network that the page can change."""
MOST_UNITS = 128
"""Units of such a layer."""
CALLED = ("given", "addProducts", "productTable")
"""The functions of the printer that the dense layers of a page call."""

_WIDTH = 9973  # a number that no formula has otherwise


@dataclass(frozen=True)
class Structure:
    """A network of dense layers.

    Attributes:
        hidden: the units of each hidden layer.
        activation: the class after each of them, or "none".
        loss: the class of the loss.
    """

    hidden: tuple[int, ...]
    activation: str
    loss: str


@dataclass(frozen=True)
class Generator:
    """The network of a page that can be changed there, and the parts of its relatives.

    Attributes:
        structure: what Python has made.
        activations: the printed part of each, by the name of its class.
        losses: the same.
        update: the printed update of a parameter.
        data: what the scripts of the page read.
    """

    structure: Structure
    activations: dict[str, PrintedProgram]
    losses: dict[str, PrintedProgram]
    update: PrintedProgram
    data: dict[str, Any]

    @property
    def programs(self) -> list[PrintedProgram]:
        """All that is printed."""
        return [*self.activations.values(), *self.losses.values(), self.update]

    @property
    def source(self) -> str:
        """The line of the page by which its scripts find the printed parts."""

        def listed(parts: dict[str, PrintedProgram]) -> str:
            return ", ".join(f"{name}: create{name}" for name in parts)

        activations, losses = listed(self.activations), listed(self.losses)
        return (
            f"const PARTS = {{ activations: {{ {activations} }}, losses: {{ {losses} }}, "
            "update: createUpdate };\n"
        )


def generator_of(task: Task) -> Generator | None:
    """The generator for a network of dense layers; None if the task is another one."""
    structure = _structure(task)
    if structure is None or task.output is None:
        return None
    losses = dict(_losses(task, task.output))
    if structure.loss not in losses:
        return None
    (x,) = task.inputs
    return Generator(
        structure,
        {name: _printed_activation(name) for name in ACTIVATIONS},
        {name: program for name, (program, _) in losses.items()},
        printed_update(task.optimizer),
        {
            "inputs": x.shape[1],
            "outputs": task.output.shape[1],
            **vars(structure),
            "activations": {name: _activation(name) for name in ACTIVATIONS},
            "losses": {name: data for name, (_, data) in losses.items()},
            "most": {"layers": MOST_LAYERS, "units": MOST_UNITS},
        },
    )


def _structure(task: Task) -> Structure | None:
    """The structure of a task; None if it is none of dense layers with one known activation."""
    model, loss = task.model, task.loss_module
    if type(model) is not Sequential or not task.is_open or not _fits(task, model):
        return None
    layers = [*model]
    dense = [each for each in layers if isinstance(each, Linear)]
    hidden = tuple(each.out_features for each in dense[:-1])
    names = {type(each).__name__ for each in layers if not isinstance(each, Linear)}
    name = names.pop() if names else "none" if hidden else "Tanh"
    expected = _layers(dense, name)
    alike = [repr(each) for each in layers] == [repr(each) for each in expected]
    known = type(loss) in LOSSES.values() and repr(loss) == repr(type(loss)())
    if names or not alike or not known or len({*layers}) != len(layers):
        return None
    if len(hidden) > MOST_LAYERS or any(size > MOST_UNITS for size in hidden):
        return None
    return Structure(hidden, name, type(loss).__name__)


def _fits(task: Task, model: Sequential) -> bool:
    """Whether inputs, parameters and optimizer are those of a network that a page can make."""
    graph, groups = task.graph, task.optimizer.param_groups
    inputs = [node.shape for node in task.inputs]
    parameters = [*model.parameters()]
    return (
        len(inputs) == len(task.targets) == 1
        and len(inputs[0]) == 2
        and all(each.dtype == torch.float32 for each in (*parameters, *task.inputs))
        and all(each.requires_grad for each in parameters)
        and {*parameters} == {*graph.parameters()} == {*groups[0]["params"]}
        and len(groups) == 1
        and type(task.optimizer).__module__.startswith("graphnet.optim")
    )


def _layers(dense: list[Linear], activation: str) -> list[Module]:
    """The layers as a page would have them."""
    layers: list[Module] = []
    for each in dense:
        if layers and activation in ACTIVATIONS:
            layers.append(ACTIVATIONS[activation]())
        layers.append(Linear(each.in_features, each.out_features))
    return layers


# activations


def _printed_activation(name: str) -> PrintedProgram:
    """y = activation(x) for any number of elements, with the derivative."""
    with Graph() as graph:
        y: Any = ACTIVATIONS[name]()(Input((None,), name="x", requires_grad=True))
        loss = y.sum()
    return printed(graph, loss, None, {"x": (12,)}, [y], f"create{name}")


def _activation(name: str) -> dict[str, Any]:
    """The node of an activation after a dense layer, with places for what changes."""
    with Graph() as graph:
        model = Sequential(Linear(1, _WIDTH), ACTIVATIONS[name]())
        y: Any = model(Input((None, 1), name="x"))
        loss = y.sum()
    made = node_of(Formulas(graph, loss), y)
    word = made["name"].partition(".")[2]
    places = {str(_WIDTH): "{width}", "linear₀": "{x}", f"{word}₁": "{y}"}
    return {"word": word, **_with_places(made, places)}


def _with_places(node: dict[str, Any], places: dict[str, str]) -> dict[str, Any]:
    """The operation and the formulas of a node, with some words replaced."""

    def replaced(text: str) -> str:
        for word, place in places.items():
            text = text.replace(word, place)
        return text

    gradient = [replaced(line) for line in node["gradient"]]
    return {"op": node["op"], "value": replaced(node["value"]), "gradient": gradient}


# losses


def _losses(
    task: Task, output: Node
) -> Iterator[tuple[str, tuple[PrintedProgram, dict[str, Any]]]]:
    """Each loss that takes these targets, or others that say the same: labels, ones and zeros."""
    (target,) = task.targets
    size = output.shape[1] or 1
    rows, classes = task.train[target], task.classes
    forms = {"given": rows}
    if classes is not None and classes.threshold is None:
        labels = rows if rows.ndim == 1 else rows.argmax(1)
        ones = one_hot(labels.long(), size)
        if rows.ndim == 1 or torch.equal(rows, ones):
            forms = {"labels": labels.long(), "ones": ones}
    for name in LOSSES:
        for form, each in forms.items():
            if _takes(name, each, size, classes):
                yield name, _loss(name, form, each, size)


def _takes(name: str, rows: Tensor, size: int, classes: Classes | None) -> bool:
    """Whether a loss takes some targets for so many outputs."""
    if name == "LossCrossEntropy":
        return rows.ndim == 1 and not rows.dtype.is_floating_point and size > 1
    if rows.dtype != torch.float32 or rows.shape[1:] != (size,):
        return False
    if name == "LossBCEWithLogits":
        return classes is not None and {*rows.unique().tolist()} == {0.0, 1.0}
    return name != "LossL1" or classes is None


def _loss(name: str, form: str, rows: Tensor, size: int) -> tuple[PrintedProgram, dict[str, Any]]:
    """The printed part of a loss, and its nodes with places for what changes."""
    with Graph() as alone:
        y = Input((None, size), name="y", requires_grad=True)
        t = Input((None, *rows.shape[1:]), name="t", dtype=rows.dtype)
        loss: Any = LOSSES[name]()(y, t)
    shapes = {"y": (12, size), "t": (12, *rows.shape[1:])}
    program = printed(alone, loss, None, shapes, (), f"create{name}")
    with Graph() as graph:
        x = Input((None, 1), name="x")
        t = Input((None, *rows.shape[1:]), name="t", dtype=rows.dtype)
        output: Any = Sequential(Linear(1, size))(x)
        loss = LOSSES[name]()(output, t)
    classes, formulas = classes_of(output, t, rows), Formulas(graph, loss)
    data = {
        "form": form,
        "row": rows[0].numel(),
        "target": node_of(formulas, t),
        "nodes": [_loss_node(formulas, node, output, t) for node in _after(graph, output)],
        "classes": None if classes is None else vars(classes),
    }
    return program, data


def _after(graph: Graph, node: Node) -> list[Operation]:
    place = graph.index(node) + 1
    return [each for each in graph[place:] if isinstance(each, Operation)]


def _loss_node(formulas: Formulas, node: Node, y: Node, t: Node) -> dict[str, Any]:
    """A node of a loss; its inputs are "y", "t", or places from the first node of the loss on."""
    made = node_of(formulas, node)
    first = formulas.graph.index(y) + 1
    names = {formulas.graph.index(y): "y", formulas.graph.index(t): "t"}
    inputs = [names.get(place, place - first) for place in made["inputs"]]
    return {**made, **_with_places(made, {"linear₀": "{y}"}), "inputs": inputs}
