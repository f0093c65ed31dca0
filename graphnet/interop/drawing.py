"""`gn.draw(module, ...)`: the picture of a model of either kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from graphnet.errors import GraphError
from graphnet.graph import Graph
from graphnet.interop.imported import ImportedModel
from graphnet.interop.importing import from_torch
from graphnet.layers import Module

if TYPE_CHECKING:
    from graphnet.draw.drawing import Drawing


def draw_model(model: Any, *inputs: Any, **options: Any) -> Drawing:
    """Draw a torch module, a graphnet module, or a graph.

    Args:
        model: the model.
        inputs: for a torch module example tensors, for a module of graphnet a shape for each input;
            for a graph, and for a model that was imported, nothing.
        options: those of `Graph.draw`.

    Raises:
        GraphError: it is none of these, or cannot be imported: see `from_torch`.
    """
    if isinstance(model, Graph):
        return model.draw(**options)
    if isinstance(model, torch.nn.Module):
        model, inputs = from_torch(model, *inputs), ()
    if isinstance(model, ImportedModel) and not inputs:
        graph, _ = model.as_graph()
        return graph.draw(**options)
    if isinstance(model, Module):
        return model.draw(*inputs, **options)
    raise GraphError(
        "draw takes a torch.nn.Module and example tensors, a graphnet module and shapes, or a "
        f"graph; got {type(model).__name__}."
    )
