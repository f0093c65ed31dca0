"""Activations as layers, with settings but no parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from graphnet import ops
from graphnet.errors import RangeError
from graphnet.layers.module import Module
from graphnet.ops.arguments import refuse_inplace
from graphnet.ops.smooth import APPROXIMATIONS
from graphnet.validation import require_choice, require_numbers

if TYPE_CHECKING:
    from graphnet.graph import Node


class Activation(Module):
    """The base class of activations: a function of one input, and its settings.

    A subclass names the function, and the attributes that are its settings: each is an argument of
    the function, and shown by `repr`.
    Torch's `inplace` is accepted, but must be False: no operation writes to its input.
    """

    function: ClassVar[Callable[..., Any]]
    settings: ClassVar[tuple[str, ...]] = ()

    def build(self, x: Node) -> Node:
        """Append the activation."""
        result: Node = type(self).function(x, **self._chosen())
        return result

    def extra_repr(self) -> str:
        """The settings, as torch writes them."""
        return ", ".join(f"{name}={value!r}" for name, value in self._chosen().items())

    def _chosen(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.settings}


class InplaceActivation(Activation):
    """The base class of activations that take only torch's `inplace`."""

    def __init__(self, inplace: bool = False) -> None:
        refuse_inplace(inplace)


class AlongDim(Activation):
    """The base class of activations along a dimension."""

    settings = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        self.dim = dim


class Identity(Activation):
    """y = x; arguments are accepted, as in torch, and ignored.  Shapes: any.

    >>> from torch import empty
    >>> Identity().forward(empty(2).fill_(-3))
    tensor([-3., -3.])
    """

    function = staticmethod(ops.identity)

    def __init__(self, *_: object, **__: object) -> None:
        pass


class ReLU(InplaceActivation):
    """y = max(x, 0), element by element; its derivative at 0 is 0.  Shapes: any.

    >>> from torch import empty
    >>> ReLU().forward(empty(2).fill_(-3))
    tensor([0., 0.])
    """

    function = staticmethod(ops.relu)


class Tanh(Activation):
    """y = tanh x, element by element, between -1 and 1.  Shapes: any.

    >>> from torch import empty
    >>> Tanh().forward(empty(2).fill_(0))
    tensor([0., 0.])
    """

    function = staticmethod(ops.tanh)


class Sigmoid(Activation):
    """y = 1 / (1 + e⁻ˣ), element by element, between 0 and 1.  Shapes: any.

    >>> from torch import empty
    >>> Sigmoid().forward(empty(2).fill_(0))
    tensor([0.5000, 0.5000])
    """

    function = staticmethod(ops.sigmoid)


class LeakyReLU(Activation):
    """y = x where x > 0, else `negative_slope` x.  Shapes: any.

    Raises:
        GraphError: `negative_slope` is not a number.

    >>> from torch import empty
    >>> LeakyReLU(0.25).forward(empty(2).fill_(-4))
    tensor([-1., -1.])
    """

    function = staticmethod(ops.leaky_relu)
    settings = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        refuse_inplace(inplace)
        require_numbers(negative_slope=negative_slope)
        self.negative_slope = negative_slope


class ELU(Activation):
    """y = x where x > 0, else `alpha` (eˣ - 1).  Shapes: any.

    Raises:
        GraphError: `alpha` is not a number.

    >>> from torch import empty
    >>> ELU(2.0).forward(empty(2).fill_(-1000))
    tensor([-2., -2.])
    """

    function = staticmethod(ops.elu)
    settings = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        refuse_inplace(inplace)
        require_numbers(alpha=alpha)
        self.alpha = alpha


class SELU(InplaceActivation):
    """y = s elu(x, a) with s = 1.0507 and a = 1.6733.  Shapes: any.

    >>> from torch import empty
    >>> SELU().forward(empty(2).fill_(1))
    tensor([1.0507, 1.0507])
    """

    function = staticmethod(ops.selu)


class GELU(Activation):
    """y = x Φ(x) for the normal distribution Φ.  Shapes: any.

    Args:
        approximate: "none", or "tanh" for a formula that needs no error function.

    Raises:
        RangeError: `approximate` is neither.

    >>> from torch import empty
    >>> GELU().forward(empty(2).fill_(1))
    tensor([0.8413, 0.8413])
    """

    function = staticmethod(ops.gelu)
    settings = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        require_choice("approximate", approximate, APPROXIMATIONS)
        self.approximate = approximate


class SiLU(InplaceActivation):
    """y = x σ(x), element by element.  Shapes: any.

    >>> from torch import empty
    >>> SiLU().forward(empty(2).fill_(1))
    tensor([0.7311, 0.7311])
    """

    function = staticmethod(ops.silu)


class Mish(InplaceActivation):
    """y = x tanh (softplus x), element by element.  Shapes: any.

    >>> from torch import empty
    >>> Mish().forward(empty(2).fill_(1))
    tensor([0.8651, 0.8651])
    """

    function = staticmethod(ops.mish)


class Softplus(Activation):
    """y = log (1 + exp βx) / β, a smooth form of ReLU.  Shapes: any.

    Args:
        beta: β, the sharpness of the bend.
        threshold: y is x itself where βx is above it.

    Raises:
        GraphError: `beta` or `threshold` is not a number.

    >>> from torch import empty
    >>> Softplus().forward(empty(2).fill_(0))
    tensor([0.6931, 0.6931])
    """

    function = staticmethod(ops.softplus)
    settings = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        require_numbers(beta=beta, threshold=threshold)
        self.beta, self.threshold = beta, threshold


class Hardtanh(Activation):
    """y = x, limited to `min_val` and `max_val`.  Shapes: any.

    Raises:
        RangeError: `max_val` is not greater than `min_val`.
        GraphError: a bound is not a number.

    >>> from torch import empty
    >>> Hardtanh().forward(empty(2).fill_(-3))
    tensor([-1., -1.])
    """

    function = staticmethod(ops.hardtanh)
    settings = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        refuse_inplace(inplace)
        require_numbers(min_val=min_val, max_val=max_val)
        if not max_val > min_val:
            raise RangeError(
                f"Hardtanh: max_val must be greater than min_val; got min_val={min_val!r} and "
                f"max_val={max_val!r}."
            )
        self.min_val, self.max_val = min_val, max_val


class ReLU6(InplaceActivation):
    """y = x, limited to 0 and 6.  Shapes: any.

    >>> from torch import empty
    >>> ReLU6().forward(empty(2).fill_(8))
    tensor([6., 6.])
    """

    function = staticmethod(ops.relu6)


class Softmax(AlongDim):
    """y = eˣ / Σ eˣ along a dimension: probabilities that sum to 1.  Shapes: any.

    Args:
        dim: the dimension; None is torch's legacy choice: 0 for 0, 1 or 3 dimensions, else 1.

    Raises:
        ShapeError: when applied, if there is no such dimension.

    >>> from torch import empty
    >>> Softmax(0).forward(empty(2).fill_(3))
    tensor([0.5000, 0.5000])
    """

    function = staticmethod(ops.softmax)


class LogSoftmax(AlongDim):
    """y = x - log Σ eˣ along a dimension.  Shapes: any.

    Args:
        dim: the dimension; None is torch's legacy choice: 0 for 0, 1 or 3 dimensions, else 1.

    Raises:
        ShapeError: when applied, if there is no such dimension.

    >>> from torch import empty
    >>> LogSoftmax(0).forward(empty(2).fill_(3))
    tensor([-0.6931, -0.6931])
    """

    function = staticmethod(ops.log_softmax)
