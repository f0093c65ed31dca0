"""`torch_source` and `to_torch`: a model as a file of plain PyTorch, and as a torch module."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, simplefilter

from graphnet.errors import GraphError, LoadError
from graphnet.interop.imported import ImportedModel
from graphnet.interop.source.execution import module_of
from graphnet.interop.source.modules import PART, Modules, attribute
from graphnet.interop.source.nodes import NodeLines
from graphnet.interop.source.steps import StepLines
from graphnet.layers import Module

if TYPE_CHECKING:
    import torch

    from graphnet.graph import Parameter


def torch_source(model: Module, *inputs: Any) -> str:
    """A model as the text of a Python file that needs PyTorch alone: `class Net(nn.Module)`.

    Parameters and buffers have the names of the model, so `Net().load_state_dict(...)` takes its
    `state_dict`. Layers that torch.nn has are its layers.

    Args:
        model: the model.
        inputs: for each input its shape, with None for a size that stays open, or an example; an
            imported model knows its inputs.

    Raises:
        GraphError: it is no module, or has an operation that has no form in PyTorch here.

    >>> import graphnet as gn
    >>> print(gn.torch_source(gn.Sequential(gn.Linear(2, 5), gn.Tanh()), (None, 2)))
    import torch
    import torch.nn.functional as F
    from torch import nn
    <BLANKLINE>
    <BLANKLINE>
    class Net(nn.Sequential):
        def __init__(self):
            super().__init__(nn.Linear(2, 5), nn.Tanh())
    <BLANKLINE>
        def forward(self, x):
            linear = self[0](x)
            tanh = self[1](linear)
            return tanh
    <BLANKLINE>
    """
    if not isinstance(model, Module):
        raise GraphError(f"torch_source takes a graphnet module; got {type(model).__name__}.")
    modules = Modules(model)
    written: Any = (
        StepLines(model) if isinstance(model, ImportedModel) else NodeLines(model, inputs)
    )
    frozen = [
        f"{attribute(name)}.requires_grad_(False)"
        for name, each in model.named_parameters()
        if not each.requires_grad
    ]
    body = [*modules.lines, *modules.shared, *frozen]
    returns = getattr(written, "returns", None)
    imports = "".join(f"{line}\n" for line in (returns.imports if returns else ()))
    imports += "\n" if imports else ""
    parts = [f"{imports}import torch\nimport torch.nn.functional as F\nfrom torch import nn\n"]
    parts += returns.classes if returns else []
    parts += [PART] if modules.needs_part else []
    arguments = "".join(f", {each}" for each in written.arguments)
    parts.append(
        f"class Net({modules.base}):\n    def __init__(self):\n"
        + textwrap.indent("\n".join(body), " " * 8)
        + f"\n\n    def forward(self{arguments}):\n"
        + textwrap.indent("\n".join(written.lines), " " * 8)
        + "\n"
    )
    return "\n\n".join(parts)


def to_torch(model: Module, *inputs: Any) -> torch.nn.Module:
    """The `torch.nn.Module` that `torch_source` defines, with the values and modes of the model.

    Args:
        model: the model.
        inputs: as for `torch_source`.

    Raises:
        GraphError: it is no module, or has an operation that has no form in PyTorch here.

    >>> import graphnet as gn, torch
    >>> model = gn.Linear(2, 3)
    >>> net = gn.to_torch(model, (None, 2))
    >>> x = torch.rand(5, 2)
    >>> torch.equal(net(x), model.forward(x))
    True
    """
    source = torch_source(model, *inputs)
    with catch_warnings():
        simplefilter("ignore", FutureWarning)  # of the older weight norm, which the model has
        net: torch.nn.Module = module_of(source)
    state = dict(model.named_state())
    for path, each in net.named_modules():
        _convert(path, each, state)
    try:
        net.load_state_dict(model.state_dict())
    except RuntimeError as error:
        raise LoadError(
            f"The source of {type(model).__name__} has other weights: {error}"
        ) from None
    here = dict(model.named_modules())
    for path, each in net.named_modules():
        if path in here:
            each.training = here[path].training
    return net


def _convert(path: str, module: torch.nn.Module, state: Mapping[str, Parameter]) -> None:
    """Give the parameters and buffers of one module the dtypes and devices of a state."""
    for held in (module._parameters, module._buffers):
        for name, tensor in held.items():
            mine = state.get(f"{path}.{name}" if path else name)
            if tensor is not None and mine is not None:
                tensor.data = tensor.data.to(mine.top)
