"""Operations that draw random numbers, from a given generator or torch's default one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.op import Op, T
from graphnet.ops.activations import identity
from graphnet.ops.arguments import refuse_inplace
from graphnet.ops.arithmetic import mul
from graphnet.ops.dims import require_tensors
from graphnet.ops.dtypes import refuse_integers
from graphnet.ops.running import training_mode
from graphnet.validation import require_range

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["dropout"]


class DropoutMask(Op):
    """y = 0 with probability p, else 1 / (1 - p), drawn at each walk; ones outside training.

    Shapes: any -> the same.
    """

    symbol = "mask"
    pure = False
    p: float = 0.5
    generator: Generator | None = None

    def forward(self, x_like: Tensor, training: bool) -> Tensor:
        if not training:
            return self.trial(x_like, training)
        if self.p == 1:
            return x_like.new_zeros(x_like.shape)
        refuse_integers(self, x_like)
        kept = x_like.new_empty(x_like.shape).bernoulli_(1 - self.p, generator=self.generator)
        return kept.div_(1 - self.p)

    def trial(self, x_like: Tensor, training: bool) -> Tensor:
        return x_like.new_ones(()).expand(x_like.shape)

    grad_training = None


def dropout(
    input: T,
    p: float = 0.5,
    training: bool | None = None,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> T:
    """In training, set each element to 0 with probability p, else divide it by 1 - p.

    So the mean stays the same, and evaluation changes nothing. `training=None` follows the graph;
    for tensors it is True, as in torch. Random numbers are drawn from the generator, or from
    torch's default one if None.
    Shapes: any -> the same.

    Source: Srivastava et al., Dropout (2014), section 4, scaled in training, not at test time.

    Raises:
        RangeError: p lies outside [0, 1].
        DtypeError: integers would be scaled, in training with p below 1.
        GraphError: `inplace=True`, since no operation writes to its input, or a wrong type.

    >>> from torch import empty
    >>> dropout(empty(2).fill_(3), p=1.0)
    tensor([0., 0.])
    """
    require_tensors("dropout", input)
    require_range("p", p, high=1)
    refuse_inplace(inplace)
    mode = training_mode(input, training, otherwise=True)
    if mode is False or p == 0:
        return identity(input)
    return mul(input, DropoutMask(p, generator)(input, mode))
