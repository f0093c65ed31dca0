"""Exercises on layers: linear, convolutions, pooling, normalizations, dropout.

Unless stated otherwise, n is the number of rows in the batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from graphnet import ops
from graphnet.exercises.exercise import Exercise

if TYPE_CHECKING:
    from torch import Tensor


class Linear(Exercise):
    """y = x weightᵀ + bias, a layer.  Shapes: x (n, k), weight (m, k), bias (m,) -> (n, m)."""

    symbol = "linear"
    shapes = ((5, 3), (4, 3), (4,))
    parameters = ("weight", "bias")
    clue_x = "Look at the shapes: there is one way to get (n, k) from (n, m) and (m, k)."
    clue_weight = "Look at the shapes: there is one way to get (m, k) from (n, m) and (n, k)."
    clue_bias = "The same bias is added to every row: whose gradients come back to it?"

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """The affine map of each row."""
        return x.matmul(weight.mT) + bias


class Conv1d(Exercise):
    """yᵢ = Σⱼ xᵢ₊ⱼ weightⱼ along each row: windows of 3.  Shapes: (n, k), (3,) -> (n, k - 2)."""

    symbol = "conv"
    shapes = ((5, 8), (3,))
    clue_x = (
        "Each x is in up to three windows, each time with another weight: send the gradient of "
        "each window back to the three elements that it came from. `ops.pad` shifts a row."
    )
    clue_weight = "Each weight is used in every window of every row: all of them add up."

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        """The weighted sum of each window of three."""
        return x.unfold(1, 3, 1).matmul(weight)


class BatchNorm(Exercise):
    """y = (x - mean) / √(variance + 10⁻⁵) · weight + bias, with batch statistics; a layer.

    Mean and variance (over n, not n - 1) are those of each column.
    Shapes: x (n, k), weight (k,), bias (k,) -> (n, k).
    """

    symbol = "batch norm"
    shapes = ((5, 3), (3,), (3,))
    parameters = ("weight", "bias")
    clue_x = "Each x acts on y in three ways: directly, through the mean, and through the variance."
    clue_weight = "What is multiplied by the weight in the forward? It is not x itself."
    clue_bias = "The same bias is added to every row: whose gradients come back to it?"

    def deviation(self, x: Tensor) -> Tensor:
        """√(variance + 10⁻⁵) of each column."""
        centered = x - x.mean(0)
        return ((centered * centered).mean(0) + 1e-5).sqrt()

    def normalized(self, x: Tensor) -> Tensor:
        """Each column with mean 0 and variance 1; a rule may call it: self.normalized(x)."""
        return (x - x.mean(0)) / self.deviation(x)

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Each column normalized, scaled and shifted."""
        return self.normalized(x) * weight + bias

    def mistake_fixed_statistics(self, still: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Any:
        """Mean and variance are taken for constants, but they depend on every x of the column."""
        return (x - still.x.mean(0)) / self.deviation(still.x) * weight + bias

    def mistake_fixed_variance(self, still: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Any:
        """The variance is taken for a constant, but it depends on every x of the column."""
        return (x - x.mean(0)) / self.deviation(still.x) * weight + bias

    def mistake_fixed_mean(self, still: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Any:
        """The mean is taken for a constant, but it depends on every x of the column."""
        centered = x - still.x.mean(0)
        return centered / ((centered * centered).mean(0) + 1e-5).sqrt() * weight + bias


class LayerNorm(Exercise):
    """y = (x - mean) / √(variance + 10⁻⁵) · weight + bias, each row by itself; a layer.

    Mean and variance (over k, not k - 1) are those of each row, so that the other rows of the batch
    do not matter.  Shapes: x (n, k), weight (k,), bias (k,) -> (n, k).
    """

    symbol = "layer norm"
    shapes = ((5, 4), (4,), (4,))
    parameters = ("weight", "bias")
    clue_x = "Each x acts on its row in three ways: directly, through the mean, and the variance."
    clue_weight = "What is multiplied by the weight in the forward? It is not x itself."
    clue_bias = "The same bias is added to every row: whose gradients come back to it?"

    def deviation(self, x: Tensor) -> Tensor:
        """√(variance + 10⁻⁵) of each row, as a column."""
        centered = x - x.mean(1, True)
        return ((centered * centered).mean(1, True) + 1e-5).sqrt()

    def normalized(self, x: Tensor) -> Tensor:
        """Each row with mean 0 and variance 1; a rule may call it: self.normalized(x)."""
        return (x - x.mean(1, True)) / self.deviation(x)

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Each row normalized, scaled and shifted."""
        return self.normalized(x) * weight + bias

    def mistake_fixed_statistics(self, still: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Any:
        """Mean and variance are taken for constants, but they depend on every x of the row."""
        return (x - still.x.mean(1, True)) / self.deviation(still.x) * weight + bias

    def mistake_fixed_variance(self, still: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Any:
        """The variance is taken for a constant, but it depends on every x of the row."""
        return (x - x.mean(1, True)) / self.deviation(still.x) * weight + bias

    def mistake_batch_norm(self, still: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Any:
        """This is the rule of batch norm: here the statistics are those of a row, not a column."""
        centered = x - x.mean(0)
        return centered / ((centered * centered).mean(0) + 1e-5).sqrt() * weight + bias


class Conv2d(Exercise):
    """Each window of 2 × 3 pixels, in all channels, times each of m weights: a product of matrices.

    Shapes: x (n, 2, 4, 5), weight (m, 2, 2, 3) -> (n, m, 3, 3).
    """

    symbol = "conv2d"
    shapes = ((3, 2, 4, 5), (4, 2, 2, 3))
    parameters = ("weight",)
    clue_x = (
        "The rule of a product first: it gives a gradient for each column. A pixel is in up to six "
        "windows, so its gradients add up: ops.fold(columns, (4, 5), (2, 3)) puts them back."
    )
    clue_weight = (
        "It is a product of matrices, weight by columns: one matrix for each image of the batch, "
        "and all images share the weight."
    )

    def columns(self, x: Tensor) -> Tensor:
        """Each of the 9 windows as a column, (n, 12, 9); a rule may call it: self.columns(x)."""
        return ops.unfold(x, (2, 3))

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        """The weights as rows, times the windows as columns."""
        return weight.reshape(-1, 12).matmul(self.columns(x)).reshape(-1, weight.shape[0], 3, 3)

    def mistake_mirrored(self, still: Any, x: Tensor, weight: Tensor) -> Tensor:
        """The weight is used upside down and back to front: here it is not flipped."""
        return self.forward(x, weight.flip(2).flip(3))

    def mistake_first_channel(self, still: Any, x: Tensor, weight: Tensor) -> Tensor:
        """Only the first channel is there: the windows reach through all channels."""
        kept = ops.pad(ops.ones_like(x[:, :1]), (0, 0, 0, 0, 0, 1))
        return self.forward(x * kept, weight)


class MaxPool2d(Exercise):
    """The largest of each 2 × 2 pixels.  Shapes: (n, c, 4, 6) -> (n, c, 2, 3)."""

    symbol = "max pool"
    shapes = ((3, 2, 4, 6),)
    clue_x = (
        "When one pixel of a window moves a little, does the maximum move? Compare x with the "
        "output, put back in its place: self.spread(top)."
    )

    def spread(self, y: Tensor) -> Tensor:
        """Each number four times, where its window was; a rule may call it: self.spread(top)."""
        return ops.repeat_interleave(ops.repeat_interleave(y, 2, 2), 2, 3)

    def windows(self, x: Tensor) -> Tensor:
        """The four pixels of each window, in the last dimension: (n, c, 2, 3, 4)."""
        return x.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)

    def forward(self, x: Tensor) -> Tensor:
        """The largest pixel of each window."""
        return self.windows(x).amax(-1)

    def mistake_sum(self, still: Any, x: Tensor) -> Tensor:
        """All four pixels get the gradient, but only the largest one has moved the output."""
        return self.windows(x).sum(-1)

    def mistake_mean(self, still: Any, x: Tensor) -> Tensor:
        """This is the rule of mean pooling: of the maximum, the largest pixel gets everything."""
        return self.windows(x).mean(-1)

    def mistake_min(self, still: Any, x: Tensor) -> Tensor:
        """The smallest pixel gets the gradient: here it is the largest."""
        return self.windows(x).amin(-1)

    def mistake_rest(self, still: Any, x: Tensor) -> Tensor:
        """All get the gradient but the largest: the comparison is the wrong way round."""
        return self.windows(x).sum(-1) - self.windows(x).amax(-1)


class Dropout(Exercise):
    """y = x / (1 - p) where kept is 1, and 0 where it is 0, with p = 0.25.

    In training, each element is dropped with probability p; the rest grows, so that the mean stays
    the same. The draw is an input here.  Shapes: x (n, k), kept (n, k) of integers -> (n, k).
    """

    symbol = "dropout"
    shapes = ((5, 3), (5, 3))
    integers: ClassVar = {"kept": 2}
    clue_x = "It is a product with a number that does not depend on x: which one, at each element?"

    def mask(self, like: Tensor, kept: Tensor) -> Tensor:
        """1 where an element is kept, else 0; a rule may call it: self.mask(grad, kept)."""
        return ops.where(ops.gt(kept, 0), ops.ones_like(like), 0.0)

    def forward(self, x: Tensor, kept: Tensor) -> Tensor:
        """What is kept, larger."""
        return x * self.mask(x, kept) / 0.75

    def mistake_nothing_dropped(self, still: Any, x: Tensor, kept: Tensor) -> Tensor:
        """What was dropped did not act on the output: it gets no gradient. Read kept."""
        return x / 0.75

    def mistake_identity(self, still: Any, x: Tensor, kept: Tensor) -> Tensor:
        """The gradient passes as if nothing was dropped: read kept, and divide by 1 - p."""
        return x

    def mistake_dropped_ones(self, still: Any, x: Tensor, kept: Tensor) -> Tensor:
        """It is the other way round: kept is 1 for the elements that stay."""
        return x * (1 - self.mask(x, kept)) / 0.75

    def mistake_multiplied(self, still: Any, x: Tensor, kept: Tensor) -> Tensor:
        """It multiplies by 1 - p where the forward divides: the rest grows."""
        return x * self.mask(x, kept) * 0.75
