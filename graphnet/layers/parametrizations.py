"""Weights that a layer computes from other parameters: weight norm and spectral norm.

As in torch, the parameters move to `layer.parametrizations`, and `layer.weight` is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from graphnet.errors import GraphError
from graphnet.graph import Node, Parameter
from graphnet.layers.containers import ModuleDict
from graphnet.layers.convolution import TransposedConvolution
from graphnet.layers.module import Module
from graphnet.ops.weight_norms import as_matrix, length_except, power_steps, unit
from graphnet.ops.weight_norms import spectral_norm as normalized_by_value
from graphnet.ops.weight_norms import weight_norm as normalized_by_length
from graphnet.validation import require_integer, require_range

if TYPE_CHECKING:
    from torch import Tensor

M = TypeVar("M", bound=Module)


class WeightNorm(Module):
    """A weight as a length g, `original0`, and a direction v, `original1`."""

    def __init__(self, weight: Tensor, dim: int | None) -> None:
        self.dim = dim
        self.original0 = Parameter(length_except(weight, dim))
        self.original1 = Parameter(weight)

    def build(self) -> Node:
        """Append the weight."""
        return normalized_by_length(self.original0, self.original1, self.dim)

    def extra_repr(self) -> str:
        """The dimension with a length for each index."""
        return f"dim={self.dim}"


class SpectralNorm(Module):
    """A weight divided by its largest singular value: `original`, and its singular vectors."""

    def __init__(self, weight: Tensor, n_power_iterations: int, eps: float, dim: int) -> None:
        self.n_power_iterations, self.eps, self.dim = n_power_iterations, eps, dim
        self.original = Parameter(weight)
        setattr(self, "0", _Vectors(weight, n_power_iterations, eps, dim))

    def build(self) -> Node:
        """Append the weight; in training, the power iteration too."""
        vectors: _Vectors = getattr(self, "0")
        steps = (self.n_power_iterations, self.eps, self.dim)
        return normalized_by_value(self.original, vectors._u, vectors._v, *steps)

    def extra_repr(self) -> str:
        """The settings."""
        return f"n_power_iterations={self.n_power_iterations}, eps={self.eps}, dim={self.dim}"


class _Vectors(Module):
    """The singular vectors, as buffers under the names that torch gives them."""

    def __init__(self, weight: Tensor, n_power_iterations: int, eps: float, dim: int) -> None:
        self._u = self._v = None
        if weight.ndim > 1:
            matrix = as_matrix(weight, dim)
            u, v = (unit(matrix.new_empty(size).normal_(), eps) for size in matrix.shape)
            # 15 steps, and those of the first time that torch computes the weight
            u, v = power_steps(matrix, u, v, 15 + n_power_iterations, eps)
            self._u, self._v = (Parameter(each, requires_grad=False) for each in (u, v))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Let a module learn the length and the direction of a weight apart: w = g v / ‖v‖.

    The parameter becomes two: `parametrizations.weight.original0`, the length g, and `original1`,
    the direction v. The weight is as it was.

    Args:
        module: the module, which is changed and returned.
        name: the name of the parameter.
        dim: the dimension with a length for each index; None for one length.

    Source: Salimans and Kingma, Weight normalization (2016).

    Raises:
        GraphError: the module has no such parameter.
        ShapeError: the parameter has no such dimension.

    >>> import graphnet as gn
    >>> layer = gn.weight_norm(gn.Linear(2, 3))
    >>> for name, value in layer.state_dict().items():
    ...     print(name, tuple(value.shape))
    bias (3,)
    parametrizations.weight.original0 (3, 1)
    parametrizations.weight.original1 (3, 2)
    """
    weight = _weight_of(module, name)
    return _replaced(module, name, WeightNorm(weight.top, dim))


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Divide a weight of a module by its largest singular value: w / σ(w).

    The parameter becomes `parametrizations.weight.original`; its singular vectors are buffers,
    which each walk in training brings nearer to the true ones.

    Args:
        module: the module, which is changed and returned.
        name: the name of the parameter.
        n_power_iterations: the steps of the power iteration in each walk, 1 or more.
        eps: the least length that a vector is divided by.
        dim: the dimension whose indices are the rows; by default 0, or 1 for a transposed
            convolution.

    Source: Miyato et al., Spectral normalization (2018).

    Raises:
        GraphError: the module has no such parameter.
        RangeError: an option is out of range.

    >>> import graphnet as gn
    >>> for name in gn.spectral_norm(gn.Linear(2, 3, bias=False)).state_dict():
    ...     print(name)
    parametrizations.weight.original
    parametrizations.weight.0._u
    parametrizations.weight.0._v
    """
    weight = _weight_of(module, name)
    require_integer("n_power_iterations", n_power_iterations, 1)
    require_range("eps", eps, above=0)
    if dim is None:
        dim = 1 if isinstance(module, TransposedConvolution) else 0
    made = SpectralNorm(weight.top, n_power_iterations, eps, dim)
    return _replaced(module, name, made)


def remove_parametrizations(module: M, name: str = "weight") -> M:
    """Make a computed weight a parameter again, with its present value.

    Raises:
        GraphError: the module does not compute such a weight.

    >>> import graphnet as gn
    >>> layer = gn.remove_parametrizations(gn.weight_norm(gn.Linear(2, 3)))
    >>> list(layer.state_dict())
    ['bias', 'weight']
    """
    held = vars(module).get("parametrizations")
    if held is None or name not in held:
        raise GraphError(
            f"{type(module).__name__} does not compute {name!r} from other parameters."
        )
    value = held[name].eval().forward()
    del held[name]
    if not len(held):
        delattr(module, "parametrizations")
    setattr(module, name, Parameter(value))
    return module


def _weight_of(module: Module, name: str) -> Parameter:
    """The parameter of a module.

    Raises:
        GraphError: there is none.
    """
    found = vars(module).get(name) if isinstance(module, Module) else None
    if not isinstance(found, Parameter) or found.is_buffer:
        names = ", ".join(own for own, _ in module._own_parameters()) or "none"
        raise GraphError(
            f"{type(module).__name__} has no parameter {name!r} to normalize; it has {names}."
        )
    return found


def _replaced(module: M, name: str, computed: Module) -> M:
    """The module with a parameter replaced by what computes it."""
    delattr(module, name)
    held = vars(module).get("parametrizations")
    if held is None:
        held = ModuleDict({})
        setattr(module, "parametrizations", held)  # noqa: B010 - no class declares it
    held[name] = computed
    return module
