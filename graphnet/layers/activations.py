"""Activations as layers: they have no parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet import ops
from graphnet.errors import RangeError
from graphnet.layers.module import Module

if TYPE_CHECKING:
    from graphnet.graph import Node


class Identity(Module):
    """y = x.  Shapes: any."""

    def build(self, x: Node) -> Node:
        """Append the identity."""
        return ops.identity(x)


class ReLU(Module):
    """y = max(x, 0), element by element; its derivative at 0 is 0.  Shapes: any.

    >>> from torch import empty
    >>> ReLU().forward(empty(2).fill_(-3))
    tensor([0., 0.])
    """

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.relu(x)


class Tanh(Module):
    """y = tanh x, element by element, between -1 and 1.  Shapes: any."""

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.tanh(x)


class Sigmoid(Module):
    """y = 1 / (1 + e⁻ˣ), element by element, between 0 and 1.  Shapes: any."""

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.sigmoid(x)


class LeakyReLU(Module):
    """y = x where x > 0, else `negative_slope` x.  Shapes: any."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        """The settings, as torch writes them."""
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """y = x where x > 0, else `alpha` (eˣ - 1).  Shapes: any."""

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.elu(x, self.alpha)

    def extra_repr(self) -> str:
        """The settings, as torch writes them."""
        return f"alpha={self.alpha}"


class SELU(Module):
    """y = s elu(x, a) with s = 1.0507 and a = 1.6733.  Shapes: any."""

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.selu(x)


class GELU(Module):
    """y = x Φ(x) for the normal distribution Φ.  Shapes: any.

    Args:
        approximate: "none", or "tanh" for a formula that needs no error function.

    Raises:
        RangeError: `approximate` is another word.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise RangeError(f"GELU: approximate is 'none' or 'tanh'; {approximate!r} came.")
        self.approximate = approximate

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.gelu(x, approximate=self.approximate)

    def extra_repr(self) -> str:
        """The settings, as torch writes them."""
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """y = x σ(x), element by element.  Shapes: any."""

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.silu(x)


class Mish(Module):
    """y = x tanh (softplus x), element by element.  Shapes: any."""

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.mish(x)


class Softplus(Module):
    """y = log (1 + exp βx) / β, a smooth form of ReLU.  Shapes: any.

    Args:
        beta: β, how steep the bend is.
        threshold: y is x itself where βx is above it.
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.softplus(x, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """The settings, as torch writes them."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Hardtanh(Module):
    """y = x, but never below `min_val` nor above `max_val`.  Shapes: any.

    Raises:
        RangeError: `max_val` is not greater than `min_val`.
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        super().__init__()
        if not max_val > min_val:
            raise RangeError(
                f"Hardtanh: max_val is greater than min_val; min_val={min_val!r} and "
                f"max_val={max_val!r} came."
            )
        self.min_val = min_val
        self.max_val = max_val

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.hardtanh(x, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        """The settings, as torch writes them."""
        return f"min_val={self.min_val}, max_val={self.max_val}"


class ReLU6(Module):
    """y = x, but never below 0 nor above 6.  Shapes: any."""

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.relu6(x)


class Softmax(Module):
    """y = eˣ / Σ eˣ along a dimension: shares that sum to 1.  Shapes: any.

    Args:
        dim: the dimension; None takes torch's old choice: 0 for 0, 1 or 3 dimensions, else 1.

    Raises:
        ShapeError: when applied, if there is no such dimension.
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.softmax(x, self.dim)

    def extra_repr(self) -> str:
        """The settings, as torch writes them."""
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """y = x - log Σ eˣ along a dimension.  Shapes: any.

    Args:
        dim: the dimension; None takes torch's old choice: 0 for 0, 1 or 3 dimensions, else 1.

    Raises:
        ShapeError: when applied, if there is no such dimension.
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.log_softmax(x, self.dim)

    def extra_repr(self) -> str:
        """The settings, as torch writes them."""
        return f"dim={self.dim}"
