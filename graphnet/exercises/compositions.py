"""Exercises where several paths meet: recurrence, attention, shared weights, second derivatives.

Unless stated otherwise, n is the number of rows in the batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.exercises.exercise import Exercise

if TYPE_CHECKING:
    from torch import Tensor


class RNNCell(Exercise):
    """h' = tanh(x weightᵀ + h recurrentᵀ + bias), one step of a recurrent network; a layer.

    Shapes: x (n, k), h (n, m), weight (m, k), recurrent (m, m), bias (m,) -> (n, m).
    """

    symbol = "rnn cell"
    shapes = ((5, 3), (5, 4), (4, 3), (4, 4), (4,))
    parameters = ("weight", "recurrent", "bias")
    clue_x = "First through tanh, whose derivative is short in terms of `top`, then as in Linear."
    clue_h = "First through tanh, whose derivative is short in terms of `top`, then as in Linear."
    clue_weight = (
        "The gradient of the sum inside tanh comes first; then it is a product of matrices."
    )
    clue_recurrent = "As for weight, with h where that reads x."
    clue_bias = "The gradient of the sum inside tanh comes first; every row shares the bias."

    def forward(
        self, x: Tensor, h: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor
    ) -> Tensor:
        """The next state of each row."""
        return (x.matmul(weight.mT) + h.matmul(recurrent.mT) + bias).tanh()

    def mistake_no_tanh(
        self, still: Any, x: Tensor, h: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor
    ) -> Tensor:
        """The derivative of tanh is missing: the gradient passes 1 - top² first."""
        return x.matmul(weight.mT) + h.matmul(recurrent.mT) + bias

    def mistake_relu(
        self, still: Any, x: Tensor, h: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor
    ) -> Tensor:
        """This is the rule for relu: the cell has tanh, whose derivative is 1 - top²."""
        return (x.matmul(weight.mT) + h.matmul(recurrent.mT) + bias).relu()

    def mistake_sigmoid(
        self, still: Any, x: Tensor, h: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor
    ) -> Tensor:
        """top (1 - top) is the derivative of a sigmoid; that of tanh is 1 - top²."""
        top = self.forward(still.x, still.h, still.weight, still.recurrent, still.bias)
        return (x.matmul(weight.mT) + h.matmul(recurrent.mT) + bias) * top * (1 - top)


class Attention(Exercise):
    """y = softmax(q kᵀ / √3) v: each query takes a mean of the values, weighted by its keys.

    Shapes: q (n, 3), k (m, 3), v (m, d) -> (n, d).
    """

    symbol = "attention"
    shapes = ((5, 3), (4, 3), (4, 2))
    clue_q = "Backwards through three steps: the product with v, softmax, and the product with k."
    clue_k = "Backwards through three steps: the product with v, softmax, and the product with q."
    clue_v = "y is linear in v: a product of matrices, shares times values."

    def shares(self, q: Tensor, k: Tensor) -> Tensor:
        """softmax(q kᵀ / √3), (n, m); a rule may call it: self.shares(q, k)."""
        return (q.matmul(k.mT) / 3**0.5).softmax(1)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """A weighted mean of the values for each query."""
        return self.shares(q, k).matmul(v)

    def mistake_no_softmax(self, still: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """The derivative of softmax is missing between the two products."""
        return (q.matmul(k.mT) / 3**0.5).matmul(v)

    def mistake_separate_shares(self, still: Any, q: Tensor, k: Tensor, v: Tensor) -> Any:
        """The shares of a query sum to 1, so each depends on all scores: a term is missing."""
        scores = q.matmul(k.mT) / 3**0.5
        total = (still.q.matmul(still.k.mT) / 3**0.5).exp().sum(1, True)
        return (scores.exp() / total).matmul(v)

    def mistake_sigmoid(self, still: Any, q: Tensor, k: Tensor, v: Tensor) -> Any:
        """shares (1 - shares) is the derivative of a share by its own score; the others act too."""
        shares = self.shares(still.q, still.k)
        return (q.matmul(k.mT) / 3**0.5 * shares * (1 - shares)).matmul(v)

    def mistake_columns(self, still: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """softmax runs over the keys, dimension 1 of the shares; here it is over the queries."""
        return (q.matmul(k.mT) / 3**0.5).softmax(0).matmul(v)


class TiedWeights(Exercise):
    """y = tanh(x weight) weightᵀ, an autoencoder that uses its weight twice; a layer.

    Shapes: x (n, k), weight (k, m) -> (n, k).
    """

    symbol = "tied"
    shapes = ((5, 3), (3, 4))
    parameters = ("weight",)
    clue_x = "Backwards: the product with weightᵀ, then tanh, then the product with weight."
    clue_weight = (
        "The weight acts in two places: its gradient is the sum of what both of them send."
    )

    def code(self, x: Tensor, weight: Tensor) -> Tensor:
        """tanh(x weight); a rule may call it: self.code(x, weight)."""
        return x.matmul(weight).tanh()

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        """The code of each row, decoded by the same weight."""
        return self.code(x, weight).matmul(weight.mT)

    def mistake_first_use(self, still: Any, x: Tensor, weight: Tensor) -> Tensor:
        """Only the first use of weight, in the code: add what the second one sends."""
        return self.code(x, weight).matmul(still.weight.mT)

    def mistake_second_use(self, still: Any, x: Tensor, weight: Tensor) -> Tensor:
        """Only the second use of weight, in the product with the code: add what the first sends."""
        return self.code(still.x, still.weight).matmul(weight.mT)

    def mistake_no_tanh(self, still: Any, x: Tensor, weight: Tensor) -> Tensor:
        """The derivative of tanh is missing in the path through the code: 1 - code²."""
        return x.matmul(weight).matmul(still.weight.mT)

    def mistake_no_tanh_and_second(self, still: Any, x: Tensor, weight: Tensor) -> Tensor:
        """The derivative of tanh is missing in the path through the code: 1 - code²."""
        code = self.code(still.x, still.weight)
        return x.matmul(weight).matmul(still.weight.mT) + code.matmul(weight.mT)

    def mistake_mean(self, still: Any, x: Tensor, weight: Tensor) -> Tensor:
        """The two uses add up: it is their sum, not their mean."""
        return self.forward(x, weight) / 2


class SecondDerivative(Exercise):
    """y = d (1 - tanh²x), the rule of tanh as an operation; its own rules are second derivatives.

    d is the gradient that arrives at tanh, and y the one that tanh sends on.
    Shapes: d (n, k), x (n, k) -> (n, k).
    """

    symbol = "tanh'"
    shapes = ((5, 3), (5, 3))
    clue_d = "y is linear in d: its factor is the derivative."
    clue_x = "The derivative of 1 - tanh²x by x: the chain rule of the square, then that of tanh."

    def slope(self, x: Tensor) -> Tensor:
        """1 - tanh²x, the first derivative; a rule may call it: self.slope(x)."""
        return 1 - x.tanh() * x.tanh()

    def forward(self, d: Tensor, x: Tensor) -> Tensor:
        """What tanh sends on of the gradient d."""
        return d * self.slope(x)

    def mistake_no_inner(self, still: Any, d: Tensor, x: Tensor) -> Any:
        """The square is differentiated, but not tanh inside it: another factor 1 - tanh²x."""
        tanh = still.x.tanh()
        return -2 * d * tanh * x

    def mistake_first(self, still: Any, d: Tensor, x: Tensor) -> Tensor:
        """This is the first derivative, as if y were d tanh x; here it is differentiated again."""
        return d * x.tanh()

    def mistake_square(self, still: Any, d: Tensor, x: Tensor) -> Any:
        """The derivative of a square t² is 2 t, not t²."""
        tanh = still.x.tanh()
        return -d * tanh * tanh * x.tanh()
