"""Exercises on operations: sums, products, functions of one number, a loss.

Unless stated otherwise, n is the number of rows in the batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from graphnet import ops
from graphnet.exercises.exercise import Exercise

if TYPE_CHECKING:
    from torch import Tensor


class Add(Exercise):
    """z = x + y, element by element.  Shapes: (n, k), (n, k) -> (n, k)."""

    symbol = "+"
    shapes = ((5, 3), (5, 3))
    clue_x = "When x grows by 1, z grows by 1: what does that make of the gradient of z?"
    clue_y = "When y grows by 1, z grows by 1: what does that make of the gradient of z?"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """The sum."""
        return x + y


class Mul(Exercise):
    """z = x y, element by element.  Shapes: (n, k), (n, k) -> (n, k)."""

    symbol = "×"
    shapes = ((5, 3), (5, 3))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """The product of the elements."""
        return x * y


class Matmul(Exercise):
    """y = x w, the product of two matrices.  Shapes: (n, k), (k, m) -> (n, m)."""

    symbol = "@"
    shapes = ((5, 3), (3, 4))
    clue_x = "Look at the shapes: there is one way to get (n, k) from (n, m) and (k, m)."
    clue_w = "Look at the shapes: there is one way to get (k, m) from (n, k) and (n, m)."

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """The product of the matrices."""
        return x.matmul(w)


class AddBias(Exercise):
    """y = x + bias, the same bias for each row.  Shapes: (n, k), (k,) -> (n, k)."""

    symbol = "+ b"
    shapes = ((5, 3), (3,))
    clue_bias = "Each element of the bias goes to every row: whose gradients come back to it?"

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """The sum of each row and the bias."""
        return x + bias


class ReLU(Exercise):
    """y = max(x, 0), element by element.  Shapes: any."""

    symbol = "relu"
    shapes = ((5, 3),)
    clue_x = "When x moves a little, how far does y move, if x is positive, and if it is negative?"

    def forward(self, x: Tensor) -> Tensor:
        """The positive elements, and 0 for the rest."""
        return x.relu()


class Sigmoid(Exercise):
    """y = 1 / (1 + e⁻ˣ), element by element.  Shapes: any."""

    symbol = "sigmoid"
    shapes = ((5, 3),)
    clue_x = (
        "Differentiate 1 / (1 + e⁻ˣ) by the quotient rule; in terms of the output y, which a rule "
        "reads as `top`, the result is short."
    )

    def forward(self, x: Tensor) -> Tensor:
        """A number between 0 and 1 for any number."""
        return x.sigmoid()


class CrossEntropy(Exercise):
    """y = log Σ eˣ - x[target], the loss of each row: -log of softmax(x) at its target.

    Shapes: x (n, classes), target (n,) of integers -> (n,).
    """

    symbol = "cross entropy"
    shapes = ((5, 4), (5,))
    integers: ClassVar = {"target": 4}
    clue_x = "Differentiate the two terms separately: log Σ eˣ by x is a softmax."

    def one_hot(self, x: Tensor, target: Tensor) -> Tensor:
        """1 at the target of each row, else 0; a rule may call it: self.one_hot(x, target)."""
        picked = ops.gt(ops.one_hot(target, x.shape[1]), 0)
        return ops.where(picked, ops.ones_like(x), 0.0)

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        """The loss of each row."""
        return x.logsumexp(1) - (x * self.one_hot(x, target)).sum(1)
