"""Initial values for parameters. Each function fills a tensor in place and returns it.

Names, arguments and numbers are those of `torch.nn.init`: with the same generator, the same values.

>>> from torch import empty
>>> xavier_uniform_(empty(25, 2)).abs().max() <= (6 / 27) ** 0.5
tensor(True)
"""

from __future__ import annotations

from math import prod, sqrt
from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet.errors import DtypeError, GraphError, ShapeError
from graphnet.validation import require_choice, require_numbers

if TYPE_CHECKING:
    from torch import Generator, Tensor

GAINS = {
    "linear": 1.0,
    **{f"conv{kind}{dims}d": 1.0 for kind in ("", "_transpose") for dims in (1, 2, 3)},
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": sqrt(2.0),
    "leaky_relu": sqrt(2 / (1 + 0.01**2)),
    "selu": 3 / 4,
}
"""How much larger a weight must be to make up for the shrinking effect of each activation."""


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The gain for an activation.

    Args:
        nonlinearity: a name in `GAINS`.
        param: for "leaky_relu", its negative slope (0.01 if None).

    Raises:
        GraphError: the activation is unknown, or the slope is not a number.

    >>> calculate_gain("tanh")
    1.6666666666666667
    """
    require_choice("nonlinearity", nonlinearity, GAINS)
    if nonlinearity == "leaky_relu" and param is not None:
        require_numbers(param=param)
        return sqrt(2 / (1 + param**2))
    return GAINS[nonlinearity]


def default_uniform_(tensor: Tensor, fan_in: int, generator: Generator | None = None) -> Tensor:
    """Uniform within ±1/√fan_in: the default of torch.nn for weights and biases.

    Source: LeCun et al., Efficient BackProp (1998), section 4.6, where 1/√fan_in is the standard
    deviation; here it is the bound.
    """
    if tensor.ndim > 1:  # the same bound, rounded in torch's order
        return kaiming_uniform_(tensor, a=sqrt(5), generator=generator)
    bound = 1 / sqrt(max(fan_in, 1))
    return uniform_(tensor, -bound, bound, generator)


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform within ±gain √(6 / (fan_in + fan_out)).

    Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural
    networks (2010), equation 16.

    Raises:
        ShapeError: the tensor has fewer than two dimensions.
        GraphError: the gain is not a number, or is negative.
    """
    bound = sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with standard deviation gain √(2 / (fan_in + fan_out)).

    Source: Glorot and Bengio (2010), equation 12.

    Raises:
        ShapeError: the tensor has fewer than two dimensions.
        GraphError: the gain is not a number, or is negative.
    """
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform within ±gain √(3 / fan).

    Args:
        tensor: the tensor to fill.
        a: the negative slope, for "leaky_relu".
        mode: "fan_in" preserves the scale of values in the forward pass, "fan_out" of gradients.
        nonlinearity: the activation that follows, a name in `GAINS`.
        generator: the source of random numbers; torch's default generator if None.

    Source: He et al., Delving deep into rectifiers (2015), equations 10 and 14.

    Raises:
        ShapeError: the tensor has fewer than two dimensions.
        GraphError: the mode or the activation is unknown.
    """
    bound = sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with standard deviation gain / √fan; arguments as in `kaiming_uniform_`.

    Source: He et al., Delving deep into rectifiers (2015), equations 10 and 14.

    Raises:
        ShapeError: the tensor has fewer than two dimensions.
        GraphError: the mode or the activation is unknown.
    """
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform between a and b.

    Raises:
        GraphError: a or b is not a finite number, or a is larger than b.
        DtypeError: the tensor holds integers.
    """
    return _filled(tensor, "uniform_", a, b, generator)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Normal with the given mean and standard deviation.

    Raises:
        GraphError: the mean or the deviation is not a number, or the deviation is negative.
        DtypeError: the tensor holds integers.
    """
    return _filled(tensor, "normal_", mean, std, generator)


def _filled(
    tensor: Tensor, method: str, first: float, second: float, generator: Generator | None
) -> Tensor:
    """Fill the tensor with random numbers by the tensor method of this name."""
    _refuse_other_kinds(tensor)
    try:
        getattr(tensor.detach(), method)(first, second, generator=generator)
    except (RuntimeError, TypeError) as error:  # torch knows its own limits best
        reason = str(error).partition("\n")[0]
        shape = tuple(tensor.shape)
        raise GraphError(f"{method} cannot fill a tensor of shape {shape}: {reason}.") from None
    return tensor


def _refuse_other_kinds(tensor: Any) -> None:
    """Refuse anything but a floating-point or complex tensor."""
    if not isinstance(tensor, type(empty(0))):
        raise GraphError(f"An init function fills a tensor; got {type(tensor).__name__}.")
    if not (tensor.dtype.is_floating_point or tensor.dtype.is_complex):
        raise DtypeError(f"An init function fills a floating-point tensor; got {tensor.dtype}.")


def _xavier_std(tensor: Tensor, gain: float) -> float:
    require_numbers(gain=gain)
    return gain * sqrt(2 / sum(_fans(tensor)))


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fans = dict(zip(("fan_in", "fan_out"), _fans(tensor), strict=True))
    mode = require_choice("mode", str(mode).lower(), fans)
    return calculate_gain(nonlinearity, a) / sqrt(fans[mode])


def _fans(tensor: Tensor) -> tuple[int, int]:
    """The number of inputs of each output, and of outputs of each input."""
    _refuse_other_kinds(tensor)
    if tensor.ndim < 2:
        raise ShapeError(
            "A weight must have at least two dimensions, (outputs, inputs, ...); got "
            f"{tuple(tensor.shape)}. Fill a bias with a constant or by default_uniform_."
        )
    kernel = prod(tensor.shape[2:])
    # A weight without elements has nothing to fill; 1 keeps the formulas finite.
    return max(tensor.shape[1] * kernel, 1), max(tensor.shape[0] * kernel, 1)
