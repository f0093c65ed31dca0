"""Modules that hold modules or parameters, besides `Sequential`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError, ShapeError, shape_text
from graphnet.graph import Parameter
from graphnet.layers.collection import DictOf, ListOf, require_module
from graphnet.layers.module import Module
from graphnet.ops.dims import TENSOR

if TYPE_CHECKING:
    from graphnet.graph import Node


class ModuleList(ListOf[Module]):
    """A list of modules that a subclass of `Module` calls as it likes.

    Their parameters are found under "0", "1", ..., as in torch.nn. The list itself has no build.

    Raises:
        GraphError: an item is not a module.

    >>> import graphnet as gn
    >>> class Twice(gn.Module):
    ...     def __init__(self):
    ...         self.steps = gn.ModuleList([gn.Linear(2, 2), gn.Linear(2, 2)])
    ...     def build(self, x):
    ...         for step in self.steps:
    ...             x = step(x)
    ...         return x
    >>> [name for name, _ in Twice().named_parameters()]
    ['steps.0.weight', 'steps.0.bias', 'steps.1.weight', 'steps.1.bias']
    """

    writes_equals_once = True

    def _fitting(self, item: Any) -> Module:
        return require_module(self, item, "extend(modules)")

    def _like(self, items: tuple[Module, ...]) -> Any:
        return ModuleList(items)


class ModuleDict(DictOf[Module]):
    """A dict of modules that a subclass of `Module` calls as it likes.

    Their parameters are found under their names, as in torch.nn. The dict itself has no build.

    Raises:
        GraphError: an item is not a module, or a name is not a string, is empty, has a dot or is
            an attribute of the dict.

    >>> import graphnet as gn
    >>> class Choice(gn.Module):
    ...     def __init__(self):
    ...         self.heads = gn.ModuleDict({"mean": gn.Linear(2, 1), "spread": gn.Linear(2, 1)})
    ...     def build(self, x):
    ...         return self.heads["mean"](x), self.heads["spread"](x)
    >>> [name for name, _ in Choice().named_parameters()]
    ['heads.mean.weight', 'heads.mean.bias', 'heads.spread.weight', 'heads.spread.bias']
    """

    def _fitting(self, item: Any) -> Module:
        return require_module(self, item, "update(modules)")


class ParameterList(ListOf[Parameter]):
    """A list of parameters, found under "0", "1", ..., as in torch.nn.

    A tensor that is added becomes a parameter.

    Raises:
        GraphError: an item is neither a parameter nor a tensor.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> class Powers(gn.Module):
    ...     def __init__(self):
    ...         self.factors = gn.ParameterList(empty(()).fill_(2) for _ in range(3))
    ...     def build(self, x):
    ...         return sum(factor * x**n for n, factor in enumerate(self.factors))
    >>> [name for name, _ in Powers().named_parameters()]
    ['factors.0', 'factors.1', 'factors.2']
    >>> Powers().forward(empty(2).fill_(3))
    tensor([26., 26.])
    """

    def _fitting(self, item: Any) -> Parameter:
        return _parameter(self, item)

    def _like(self, items: tuple[Parameter, ...]) -> Any:
        return ParameterList(items)

    def extra_repr(self) -> str:
        """The shapes of the parameters."""
        return ", ".join(shape_text(each.shape) for each in self)


class ParameterDict(DictOf[Parameter]):
    """A dict of parameters, found under their names, as in torch.nn.

    A tensor that is added becomes a parameter. Items keep the order in which they were added
    (torch.nn sorts those of a plain dict).

    Raises:
        GraphError: an item is neither a parameter nor a tensor, or a name is not a string, is
            empty, has a dot or is an attribute of the dict.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> gn.ParameterDict({"gain": empty(3), "shift": gn.Parameter(empty(3))})
    ParameterDict(gain=(3,), shift=(3,))
    """

    def _fitting(self, item: Any) -> Parameter:
        return _parameter(self, item)

    def extra_repr(self) -> str:
        """The names and the shapes of the parameters."""
        return ", ".join(f"{name}={shape_text(each.shape)}" for name, each in self.items())


def _parameter(holder: Module, item: Any) -> Parameter:
    """An item of a container of parameters."""
    if isinstance(item, TENSOR):
        return Parameter(item)
    if not isinstance(item, Parameter):
        raise GraphError(
            f"A {type(holder).__name__} takes parameters and tensors; got "
            f"{type(item).__name__}. Modules go into a ModuleList or a ModuleDict."
        )
    return item


class Residual(Module):
    """y = x + inner(x), so that the gradient has a path around the inner module.

    Shapes: any that the inner module preserves.

    Args:
        inner: the module whose output is added to its input.

    Source: He et al., Deep residual learning (2016), equation 1.

    Raises:
        GraphError: an item is not a module.
        ShapeError: the inner module returns a different shape.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> gn.Residual(gn.ReLU()).forward(empty(2).fill_(3))
    tensor([6., 6.])
    """

    def __init__(self, inner: Module) -> None:
        if not isinstance(inner, Module):
            raise GraphError(f"A Residual takes a module; got {inner!r}.")
        self.inner = inner

    def build(self, x: Node) -> Node:
        """Append the inner module, and the sum."""
        y: Node = self.inner(x)
        if y.shape != x.shape:
            raise ShapeError(
                f"Residual: the inner module must return the shape of its input {x}, "
                f"{shape_text(x.shape)}, since the sum does not broadcast; got "
                f"{shape_text(y.shape)}."
            )
        return x + y
