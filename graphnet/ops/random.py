"""Operations that draw random numbers, from a given generator or torch's default one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from graphnet.errors import DtypeError
from graphnet.op import Op, T
from graphnet.ops.activations import identity
from graphnet.ops.arguments import refuse_inplace
from graphnet.ops.arithmetic import mul
from graphnet.ops.comparison import lt
from graphnet.ops.dims import require_tensors
from graphnet.ops.dtypes import cast_to, refuse_integers, widened
from graphnet.ops.indexing import narrow
from graphnet.ops.running import training_mode
from graphnet.validation import require_range

if TYPE_CHECKING:
    from torch import Generator, Tensor, dtype

__all__ = ["bernoulli", "dropout", "rand_like", "randn_like"]


class Source(Protocol):
    """What draws in place of torch; each method returns a new tensor of the shape of `like`."""

    def mask(self, like: Tensor, keep: float) -> Tensor:
        """1 with the probability `keep`, else 0, in the dtype of `like`."""

    def uniforms(self, like: Tensor, of: dtype) -> Tensor:
        """Numbers from 0 to 1, all equally likely, in another dtype."""

    def normals(self, like: Tensor, of: dtype) -> Tensor:
        """Normal numbers of mean 0 and variance 1, in another dtype."""


_SOURCE: ContextVar[Source | None] = ContextVar("source", default=None)


@contextmanager
def drawn_from(source: Source) -> Iterator[None]:
    """Draw from a source instead of torch in the walks inside a `with` block.

    >>> from torch import empty
    >>> from graphnet.compile.targets.js.random import Random
    >>> with drawn_from(Random(3)):
    ...     y = dropout(empty(4).fill_(1))
    >>> y
    tensor([0., 0., 2., 0.])
    """
    before = _SOURCE.set(source)
    try:
        yield
    finally:
        _SOURCE.reset(before)


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
        source, keep = _SOURCE.get(), 1 - self.p
        if source is not None:
            return source.mask(x_like, keep).div_(keep)
        kept = x_like.new_empty(x_like.shape).bernoulli_(keep, generator=self.generator)
        return kept.div_(keep)

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
    mode = dropout_mode("dropout", input, p, training, inplace)
    return identity(input) if mode is False else mul(input, DropoutMask(p, generator)(input, mode))


def dropout_mode(name: str, x: Any, p: float, training: bool | None, inplace: bool) -> Any:
    """Whether elements are dropped: False, True, or a node; the arguments are checked."""
    require_tensors(name, x)
    require_range("p", p, high=1)
    refuse_inplace(inplace)
    mode = training_mode(x, training, otherwise=True)
    return False if p == 0 else mode


def shared_mask(x: Any, shared: int, p: float, generator: Generator | None, mode: Any) -> Any:
    """A mask whose last dimensions have a size of 1: all elements along them share one number."""
    like = x
    for dim in range(x.ndim - shared, x.ndim):
        like = narrow(like, dim, 0, 1)
    return DropoutMask(p, generator)(like, mode)


class RandLike(Op):
    """Numbers from 0 to 1, all equally likely, drawn at each walk.  Shapes: any -> the same."""

    symbol = "rand"
    pure = False
    dtype: dtype
    generator: Generator | None = None

    def forward(self, x_like: Tensor) -> Tensor:
        if (source := _SOURCE.get()) is not None:
            return source.uniforms(x_like, self.dtype)
        drawn = x_like.new_empty(x_like.shape, dtype=self.dtype)
        return drawn.uniform_(generator=self.generator)

    def trial(self, x_like: Tensor) -> Tensor:
        return x_like.new_zeros((), dtype=self.dtype).expand(x_like.shape)


class RandnLike(Op):
    """Normal numbers of mean 0 and variance 1, drawn at each walk.  Shapes: any -> the same."""

    symbol = "randn"
    pure = False
    dtype: dtype
    generator: Generator | None = None
    trial = RandLike.trial

    def forward(self, x_like: Tensor) -> Tensor:
        if (source := _SOURCE.get()) is not None:
            return source.normals(x_like, self.dtype)
        drawn = x_like.new_empty(x_like.shape, dtype=self.dtype)
        return drawn.normal_(generator=self.generator)


def rand_like(input: T, *, dtype: dtype | None = None, generator: Generator | None = None) -> T:
    """Random numbers from 0 to 1 in the shape of the input, drawn anew at each walk and step.

    Args:
        input: any shape.
        dtype: that of the numbers; the input's if None.
        generator: the source of random numbers; torch's default generator if None.

    Raises:
        DtypeError: the dtype is not floating-point.

    >>> from torch import empty
    >>> bool((rand_like(empty(5)) < 1).all())
    True
    """
    return RandLike(_drawable("rand_like", input, dtype), generator)(input)


def randn_like(input: T, *, dtype: dtype | None = None, generator: Generator | None = None) -> T:
    """Normal random numbers in the shape of the input, drawn anew at each walk and step.

    Args:
        input: any shape.
        dtype: that of the numbers; the input's if None.
        generator: the source of random numbers; torch's default generator if None.

    Raises:
        DtypeError: the dtype is not floating-point.

    >>> from torch import empty
    >>> randn_like(empty(2, 3)).shape
    torch.Size([2, 3])
    """
    return RandnLike(_drawable("randn_like", input, dtype), generator)(input)


def bernoulli(input: T, *, generator: Generator | None = None) -> T:
    """1 with the probability that the input gives, else 0, drawn anew at each walk and step.

    No gradient flows. On a CPU the numbers are those that `torch.bernoulli` draws.
    Shapes: any.

    Args:
        input: probabilities, from 0 to 1.
        generator: the source of random numbers; torch's default generator if None.

    Raises:
        DtypeError: the input is not floating-point.

    >>> from torch import empty
    >>> bernoulli(empty(3).fill_(1))
    tensor([1., 1., 1.])
    """
    _drawable("bernoulli", input, None)
    chances = widened(input)  # numbers of float16 are too few
    uniform = RandLike(chances.dtype, generator)(chances)
    return cast_to(lt(uniform, chances), input.dtype)


def _drawable(name: str, x: Any, dtype: dtype | None) -> Any:
    """The dtype of random numbers.

    Raises:
        DtypeError: it is not floating-point.
    """
    require_tensors(name, x)
    chosen: Any = x.dtype if dtype is None else dtype
    if not getattr(chosen, "is_floating_point", False):
        raise DtypeError(f"{name} draws floating-point numbers; got {chosen}. Give a dtype.")
    return chosen
