"""The zoo: models of all families that people write with torch.nn, small."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from interop.zoo_images import IMAGES
from interop.zoo_others import OTHERS
from interop.zoo_sequences import SEQUENCES
from torch import nn
from torch.utils import _pytree as pytree

import graphnet as gn

ZOO = {**IMAGES, **SEQUENCES, **OTHERS}
"""How to make each model, and inputs for a batch."""

QUICK = [
    *("mlp", "lenet", "squeeze and excite", "upsampling", "text cnn", "loop over cells"),
    *(
        "weight norm",
        "spectral norm",
        "dict outputs",
        "in-place code",
        "own normalizations",
        "frozen parts",
        "vae",
    ),
]
"""Those that are compared in every run of the tests."""

OWN_ORDER = {"vit", "encoder, post-norm, padded", "lstm tagger"}
"""Models whose dropout draws in the order of torch's memory, which a view of a tensor changes."""


@dataclass
class Pair:
    """A torch model and its import.

    Attributes:
        torch: the model.
        ours: its import.
        graph: a graph of the import alone.
        outputs: its outputs, nested as the model returns them.
    """

    name: str
    torch: nn.Module
    ours: Any
    graph: gn.Graph
    outputs: Any

    @property
    def nodes(self) -> list[gn.Node]:
        """The outputs."""
        return [each for each in pytree.tree_leaves(self.outputs) if isinstance(each, gn.Node)]

    def examples(self, count: int, dtype: torch.dtype = torch.float64) -> tuple[Any, ...]:
        """Inputs for a batch."""
        return as_dtype(ZOO[self.name][1](count), dtype)

    def feed(self, examples: Any) -> dict[Any, torch.Tensor]:
        """The same, by input."""
        return dict(zip(self.graph.inputs, tensors(examples), strict=True))


def pair(name: str, dtype: torch.dtype = torch.float64, dropout: bool = True) -> Pair:
    """A model of the zoo and its import, in one dtype; with `dropout=False` it drops nothing."""
    model, ours = deepcopy(_imported(name, dtype, dropout))
    return Pair(name, model, ours, *ours.as_graph())


@cache
def _imported(name: str, dtype: torch.dtype, dropout: bool) -> tuple[nn.Module, Any]:
    """A model and its import, of which each test gets copies."""
    torch.manual_seed(0)
    make, examples = ZOO[name]
    model = make().to(dtype)
    for module in () if dropout else model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(module, nn.MultiheadAttention | nn.LSTM):
            module.dropout = 0.0
    return model, gn.from_torch(model, *as_dtype(examples(3), dtype))


def as_dtype(examples: Any, dtype: torch.dtype) -> Any:
    """Inputs with their floating tensors in one dtype."""
    return pytree.tree_map(lambda x: x.to(dtype) if x.is_floating_point() else x, examples)


def tensors(nested: Any) -> list[torch.Tensor]:
    """The tensors in nested tuples and dicts."""
    return [each for each in pytree.tree_leaves(nested) if isinstance(each, torch.Tensor)]
