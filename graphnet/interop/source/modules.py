"""The modules of a network as the text of `__init__`: torch.nn's by their constructors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from graphnet.graph import Parameter
from graphnet.interop.source.layers import constructor
from graphnet.layers import Module

PART = '''class Part(nn.Module):
    """Modules, parameters and buffers under their names, and constants that are not saved."""

    def __init__(self, constants=None, /, **held):
        super().__init__()
        for name, each in (constants or {}).items():
            self.register_buffer(name, each, persistent=False)
        for name, each in held.items():
            if isinstance(each, (nn.Module, nn.Parameter)):
                setattr(self, name, each)
            else:
                self.register_buffer(name, each)

    def __getitem__(self, name):
        return getattr(self, str(name))
'''
"""The class of what holds modules or parameters and is no layer of torch.nn."""


def attribute(path: str) -> str:
    """A path in Python: `self.layers[0].weight` for "layers.0.weight"."""
    text = "self"
    for name in path.split("."):
        part = name if name.isdigit() else repr(name)
        text += f".{name}" if name.isidentifier() else f"[{part}]"
    return text


class Modules:
    """The text that makes the modules of a network.

    Attributes:
        base: the class that the network derives from.
        lines: the lines of `__init__`.
        shared: what is used again under another name, as assignments.
        needs_part: True if the class `Part` is needed.
    """

    def __init__(self, model: Module) -> None:
        self.lines: list[str] = []
        self.shared: list[str] = []
        self.needs_part = False
        self.first: dict[int, str] = {id(model): ""}
        held = [(n, x) for n, x in model._contents() if isinstance(x, Module | Parameter)]
        if held and _are_numbered(held):
            self.base = "nn.Sequential"
            layers = [self.made(name, each) for name, each in held]
            self.lines.append(f"super().__init__({_wrapped('', layers, '')})")
            return
        self.needs_part = not all(name.isidentifier() for name, _ in held)
        self.base = "Part" if self.needs_part else "nn.Module"
        self.lines.append("super().__init__()")
        for name, each in held:
            self._own(name, each)

    def _own(self, name: str, each: Any) -> None:
        """A line for what the network itself holds."""
        text = self.made(name, each)
        if isinstance(each, Parameter) and each.is_buffer:
            rest = "" if each.persistent else ", persistent=False"
            self.lines.append(f'self.register_buffer("{name}", {text}{rest})')
        elif name.isidentifier():
            self.lines.append(f"self.{name} = {text}")
        else:
            self.lines.append(f'self.add_module("{name}", {text})')

    def made(self, path: str, each: Any) -> str:
        """A module, parameter or buffer as an expression."""
        if id(each) in self.first:
            self._share(path, self.first[id(each)])
            return "nn.Identity()" if isinstance(each, Module) else _tensor(each)
        self.first[id(each)] = path
        if isinstance(each, Parameter):
            return _tensor(each)
        layer = constructor(each)
        if layer:
            self._note_shared(path, each)
            return layer
        return self._container(path, each)

    def _container(self, path: str, each: Module) -> str:
        held = [(n, x) for n, x in each._contents() if isinstance(x, Module | Parameter)]
        kept = [(n, x) for n, x in held if isinstance(x, Module) or x.persistent]
        texts = [(name, self.made(f"{path}.{name}", x)) for name, x in kept]
        fixed = [
            f"{name!r}: {self.made(f'{path}.{name}', x)}"
            for name, x in held
            if (name, x) not in kept
        ]
        constants = [_wrapped("{", fixed, "}")] if fixed else []
        if held and _are_numbered(held):
            return f"nn.ModuleList({_wrapped('[', [text for _, text in texts], ']')})"
        self.needs_part = True
        if all(name.isidentifier() for name, _ in texts):
            items = [*constants, *(f"{name}={text}" for name, text in texts)]
            return f"Part({_wrapped('', items, '')})"
        named = _wrapped("{", [f"{name!r}: {text}" for name, text in texts], "}")
        return f"Part({', '.join([*constants, f'**{named}'])})"

    def _note_shared(self, path: str, layer: Module) -> None:
        """Parameters of a layer that another one has too."""
        for name, parameter in layer.named_state():
            whole = f"{path}.{name}"
            if id(parameter) in self.first:
                self._share(whole, self.first[id(parameter)])
            else:
                self.first[id(parameter)] = whole

    def _share(self, path: str, first: str) -> None:
        around, _, last = path.rpartition(".")
        owner = attribute(around) if around else "self"
        self.shared.append(f'setattr({owner}, "{last}", {attribute(first)})')


def _are_numbered(held: list[tuple[str, Any]]) -> bool:
    """True for modules alone whose names are 0, 1, 2 and so on, as in a list."""
    names = [name for name, each in held if isinstance(each, Module)]
    return len(names) == len(held) and names == [str(place) for place in range(len(names))]


def _wrapped(before: str, items: list[str], after: str) -> str:
    """Items on one line if they fit, else one on each line."""
    line = ", ".join(items)
    if len(line) <= 70 and "\n" not in line:
        return before + line + after
    inside = "".join(f"    {item},\n".replace("\n", "\n    ").rstrip(" ") for item in items)
    return f"{before}\n{inside}{after}"


def _tensor(parameter: Parameter) -> str:
    """A parameter or buffer by its shape, or by its values if they are saved nowhere else."""
    if not parameter.persistent:
        return values(parameter.top)
    dtype = "" if parameter.dtype.is_floating_point else f", dtype={parameter.dtype}"
    made = f"torch.zeros({list(parameter.shape)}{dtype})"
    return made if parameter.is_buffer else f"nn.Parameter({made})"


def values(tensor: torch.Tensor) -> str:
    """A tensor as the call that makes it, in short where it follows a rule.

    >>> values(torch.ones(3, 3).tril())
    'torch.ones([3, 3], dtype=torch.float32).tril()'
    """
    sizes, dtype = list(tensor.shape), f"dtype={tensor.dtype}"
    for text, made in _rules(tensor):
        if torch.equal(made, tensor):
            return text.format(sizes=sizes, dtype=dtype)
    flat = str(tensor.tolist()).replace("inf", 'float("inf")').replace("nan", 'float("nan")')
    return f"torch.tensor({flat}, {dtype})"


def _rules(tensor: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    """Tensors that a short text makes, in the shape of the given one."""
    ones = torch.ones_like(tensor)
    yield "torch.zeros({sizes}, {dtype})", torch.zeros_like(tensor)
    yield "torch.ones({sizes}, {dtype})", ones
    if tensor.ndim >= 2:
        yield "torch.ones({sizes}, {dtype}).tril()", ones.tril()
        yield "torch.ones({sizes}, {dtype}).triu(1)", ones.triu(1)
    if tensor.ndim == 1 and tensor.numel() and tensor.dtype != torch.bool:
        count = torch.arange(tensor.numel(), dtype=tensor.dtype)
        yield f"torch.arange({tensor.numel()}, {{dtype}})", count
