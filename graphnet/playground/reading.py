"""Reading a page back: its rows and first weights, and the same run in Python.

A page draws everything from its seed by generators that Python has too, so that a run is its
settings, and the changes on the way. The program that a page writes calls what is here.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import torch

from graphnet.compile.targets.js.random import Random
from graphnet.console_text import printable
from graphnet.errors import FeedError, GraphError, LoadError, shape_text
from graphnet.files import read_file
from graphnet.graph.entry import dtype_text
from graphnet.layers import Linear
from graphnet.ops.random import drawn_from
from graphnet.validation import require_integer

if TYPE_CHECKING:
    from os import PathLike

    from torch import Tensor

    from graphnet.graph import Graph, Input, Node
    from graphnet.layers import Module
    from graphnet.optim import Optimizer

MASKS, NOISE, WEIGHTS = 0x1000000, 0x2000000, 0x3000000
"""What is added to the seed for the generators of masks, noise and first weights."""

Change = tuple[int, str, Any]
"""The steps before it; what changes: a setting, "add" or "remove" for a row; its value."""

_DATA = re.compile(rb'<script type="application/json" class="data">(.*?)</script>', re.DOTALL)
_DTYPES = {
    "float32": torch.float32, "float64": torch.float64, "int32": torch.int32, "uint8": torch.uint8,
}  # fmt: skip
_OF_TORCH = {dtype_text(dtype): dtype for dtype in (*_DTYPES.values(), torch.int64, torch.bool)}
_BETAS = {"beta1": 0, "beta2": 1}
_NONE = 1e-300  # a momentum that is nothing, but keeps the state of the optimizer, as in a page


@dataclass
class Page:
    """What a page of the playground was made from.

    Attributes:
        train: the rows that are learned from, a tensor for each input of the list, by its name.
        test: the rows that are only measured; none if it is empty.
        inputs: the names of those that noise is added to: inputs of fractions, not targets.
        weights: the parameters and buffers that the page began with, by their names in the list.
    """

    train: dict[str, Tensor]
    test: dict[str, Tensor]
    inputs: tuple[str, ...]
    weights: dict[str, Tensor]

    def load_weights(self, graph: Graph) -> None:
        """Give the parameters and buffers of a list the values that the page began with.

        Raises:
            LoadError: the list has others; nothing was loaded then.
        """
        known = {graph.name_of(node): node for node in graph.parameters()}
        for name, value in self.weights.items():
            if name not in known or known[name].top.shape != value.shape:
                there = shape_text(known[name].top.shape) if name in known else "nothing"
                raise LoadError(
                    f"The page has a parameter {printable(name)} of {shape_text(value.shape)}; "
                    f"the list has {there} of this name."
                )
        for name, value in self.weights.items():
            known[name].top.copy_(value)

    def repeat(
        self,
        graph: Graph,
        loss: Node,
        optimizer: Optimizer,
        *,
        steps: int,
        batch_size: int,
        seed: int,
        noise: float = 0.0,
        added: Sequence[Mapping[str, Sequence[float]]] = (),
        changes: Iterable[Change] = (),
    ) -> None:
        """Train a list as the page did: the same batches, masks and noise, the same changes.

        Args:
            graph: the list, with inputs of the names of the rows.
            loss: what is minimized.
            optimizer: over its parameters.
            steps: how many.
            batch_size: rows in a batch.
            seed: of the page.
            noise: the standard deviation of noise on inputs.
            added: rows that were added by hand before the first step.
            changes: what was changed later, in order.

        Raises:
            FeedError: the inputs of the list are others than the rows.
            RangeError: steps is less than 0.
        """
        require_integer("steps", steps, 0)
        if {node.name for node in graph.inputs} != {*self.train}:
            raise FeedError(
                f"The rows of the page are of {', '.join(map(printable, self.train))}; the list "
                f"has the inputs {', '.join(printable(node.name) for node in graph.inputs)}."
            )
        run = _Run(self, graph, optimizer, batch_size, seed, noise)
        for row in added:
            run.change("add", row)
        waiting, masks = list(changes), Random(seed + MASKS)
        for step in range(steps):
            while waiting and waiting[0][0] <= step:
                run.change(*waiting.pop(0)[1:])
            with drawn_from(masks):
                graph.forward(run.batch(), outputs=loss)
            graph.backward(loss)
            optimizer.step()


class _Run:
    """The rows and settings of a run, in the order and by the rules of `learner.js`."""

    def __init__(
        self, page: Page, graph: Graph, optimizer: Optimizer, size: int, seed: int, noise: float
    ) -> None:
        self.clean, self.disturbed = dict(page.train), page.inputs
        self.inputs: dict[str, Input] = {node.name: node for node in graph.inputs}
        self.size, self.seed, self.noise, self.optimizer = size, seed, noise, optimizer
        self.is_open = all(node.shape[0] is None for node in graph.inputs)
        self.order = Random(seed)
        self.places: list[int] = []
        self.dampening = [group.get("dampening") for group in optimizer.param_groups]
        for place in range(len(self.dampening)):
            self._keep_state(place)
        self._disturb()

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.clean.values())))

    def batch(self) -> dict[Any, Tensor]:
        """The next batch; the last one of an epoch takes the rest."""
        size = min(self.size, self.count)
        if not self.places or (not self.is_open and len(self.places) < size):
            self.places = self.order.permutation(self.count)
        taken, self.places = self.places[:size], self.places[size:]
        return {node: self.rows[name][taken] for name, node in self.inputs.items()}

    def change(self, what: str, value: Any) -> None:
        """Change a setting, add a row, or take the last one back."""
        if what == "add":
            for name, rows in self.clean.items():
                row = torch.tensor(value[name], dtype=rows.dtype).reshape(1, *rows.shape[1:])
                self.clean[name] = torch.cat([rows, row])
            self._disturb()
        elif what == "remove":
            self.clean = {name: rows[:-1] for name, rows in self.clean.items()}
            self.places = []
            self._disturb()
        elif what == "batch":
            self.size = value
        elif what == "noise":
            self.noise = value
            self._disturb()
        else:
            self._set(what, value)

    def _set(self, what: str, value: float) -> None:
        """Change a number of the optimizer; those of later groups are named "lr/1"."""
        name, _, place = what.partition("/")
        at = int(place or 0)
        group = self.optimizer.param_groups[at]
        if name in _BETAS:
            betas = [*group["betas"]]
            betas[_BETAS[name]] = value
            group["betas"] = tuple(betas)
        elif name in group:
            group[name] = value
        else:
            raise GraphError(f"The optimizer has no setting {printable(name)}.")
        if name == "momentum" and self.dampening[at] is not None:
            group["dampening"] = self.dampening[at]
        self._keep_state(at)

    def _keep_state(self, place: int) -> None:
        """Keep the momentum of SGD even while it is 0: a page has it from the first step on."""
        group = self.optimizer.param_groups[place]
        if self.dampening[place] is None or group["momentum"] not in (0, _NONE):
            return
        group |= {"momentum": _NONE, "dampening": 0.0}

    def _disturb(self) -> None:
        """Noise on the inputs of fractions, row by row, from its own generator."""
        self.rows = dict(self.clean)
        if not self.noise:
            return
        random = Random(self.seed + NOISE)
        for name in self.disturbed:
            rows = self.clean[name]
            values = [each + self.noise * random.normal() for each in rows.flatten().tolist()]
            self.rows[name] = torch.tensor(values, dtype=rows.dtype).reshape(rows.shape)


def read(file: str | PathLike[str]) -> Page:
    """What a page of the playground was made from.

    Raises:
        LoadError: the file cannot be read, or is no such page.
    """
    try:
        content = read_file(str(file), follow=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise LoadError(f"{file} cannot be read: {reason}.") from None
    found = _DATA.search(content)
    if found is None:
        raise LoadError(f"{file} is no page of the playground: it holds none of its data.")
    try:
        data = json.loads(found[1])
        return Page(
            _tensors(data["train"]),
            _tensors(data["test"] or {}),
            _disturbed(data),
            _tensors(data["state"]),
        )
    except KeyError as error:
        raise LoadError(f"{file} is no page of the playground: its data have no {error}.") from None
    except (TypeError, ValueError, RuntimeError) as error:
        raise LoadError(f"{file} is no page of the playground: {error}.") from None


def _disturbed(data: dict[str, Any]) -> tuple[str, ...]:
    nodes = [data["nodes"][place] for place in data["inputs"]]
    fractions = [node for node in nodes if node["dtype"].startswith("float")]
    return tuple(node.get("key", node["name"]) for node in fractions)


def _tensors(described: dict[str, Any]) -> dict[str, Tensor]:
    """Tensors by their names."""
    return {name: _tensor(each) for name, each in described.items()}


def _tensor(described: dict[str, Any]) -> Tensor:
    raw = bytearray(b64decode(described["bytes"], validate=True))
    kind = described["kind"]
    of = torch.uint8 if kind == "byte fraction" else _DTYPES[kind]
    numbers = torch.frombuffer(raw, dtype=of) if raw else torch.empty(0, dtype=of)
    if kind == "byte fraction":
        numbers = numbers / 255
    return numbers.to(_OF_TORCH[described["dtype"]]).reshape(described["shape"])


def draw_weights(module: Module, seed: int) -> None:
    """Give dense layers the first weights that a page draws; see `gn.playground.draw_weights`.

    Raises:
        GraphError: the module has parameters that are not of dense layers.
    """
    layers = [each for each in module.modules() if isinstance(each, Linear)]
    drawn = [node for each in layers for node in (each.weight, each.bias) if node is not None]
    if {*drawn} != {*module.parameters()}:
        raise GraphError("A page draws the first weights of dense layers; got other parameters.")
    random = Random(seed + WEIGHTS)
    for layer in layers:
        for node in (layer.weight, layer.bias):
            if node is not None:
                values = [
                    (2 * random.uniform() - 1) / sqrt(layer.in_features)
                    for _ in range(node.top.numel())
                ]
                node.top.copy_(node.top.new_tensor(values).reshape(node.top.shape))
