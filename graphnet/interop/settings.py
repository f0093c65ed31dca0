"""The settings of torch's modules, shown and not shown, and their hooks."""

from __future__ import annotations

from inspect import signature
from typing import Any

import torch
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm


def settings_of(module: Any) -> str:
    """What a module shows in parentheses; for a parametrization, what torch does not show."""
    kinds: Any = torch.nn.utils.parametrizations
    if isinstance(module, kinds._WeightNorm):
        return f"dim={None if module.dim == -1 else module.dim}"
    if isinstance(module, kinds._SpectralNorm):
        steps = getattr(module, "n_power_iterations", 1)  # a vector needs none
        return f"n_power_iterations={steps}, eps={module.eps}, dim={module.dim}"
    shown: str = module.extra_repr()
    return shown


def options_of(module: Any) -> dict[str, Any]:
    """The arguments of a layer of torch.nn that it keeps as attributes of the same names."""
    if not type(module).__module__.startswith(("torch.nn.modules", "torch.nn.utils.parametrize")):
        return {}
    kind = getattr(torch.nn, type(module).__name__.removeprefix("Parametrized"), type(module))
    if isinstance(module, torch.nn.RNNBase):  # whose classes do not name theirs
        kind = torch.nn.RNNBase
    known = vars(module)
    return {
        name: known[name]
        for name in signature(kind).parameters
        if isinstance(known.get(name, ()), bool | int | float | str | tuple | None)
        and name in known
    }


def hooks_of(module: Any) -> list[str]:
    """What runs before and after a module: torch's older norms as calls, others as empty texts."""
    hooks = [*module._forward_pre_hooks.values(), *module._forward_hooks.values()]
    return [_text(hook) for hook in hooks]


def _text(hook: Any) -> str:
    """A hook as a call of `torch.nn.utils` on a layer: "weight_norm({}, 'weight', dim=0)"."""
    if isinstance(hook, WeightNorm):
        return f"weight_norm({{}}, {hook.name!r}, dim={None if hook.dim == -1 else hook.dim})"
    if isinstance(hook, SpectralNorm):
        steps = f"n_power_iterations={hook.n_power_iterations}, eps={hook.eps}, dim={hook.dim}"
        return f"spectral_norm({{}}, {hook.name!r}, {steps})"
    return ""
