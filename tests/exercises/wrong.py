"""Typical wrong rules: the right answer they are put into, and a part of the hint they must get."""

from __future__ import annotations

from exercises.answers import (
    MyAdd,
    MyAddBias,
    MyBatchNorm,
    MyConv1d,
    MyCrossEntropy,
    MyLinear,
    MyMatmul,
    MyMul,
    MyReLU,
    MySigmoid,
)

from graphnet import ops

CHAIN = "The chain rule is missing"
SUM = "The sum over the batch is missing"
PROPORTIONAL = "must be proportional to `grad`"


class Bare:
    """The statistics of a batch norm without the small number under the root."""

    def deviation(self, x):
        return (x - x.mean(0)).pow(2).mean(0).sqrt()

    def normalized(self, x):
        return (x - x.mean(0)) / self.deviation(x)


def in_place(self, grad, x):
    x *= grad
    return x


def not_begun(self, grad):
    raise NotImplementedError


# The rule is named by the first letter of its input.
WRONG = {
    # add
    "minus": (MyAdd, "grad_y", lambda self, grad: -grad, "The sign is wrong"),
    "half": (MyAdd, "grad_x", lambda self, grad: grad / 2, "A factor 2 is missing"),
    "value": (MyAdd, "grad_x", lambda self, top: top, CHAIN),
    "ones": (MyAdd, "grad_x", lambda self, grad: grad * 0 + 1, CHAIN),
    "unknown": (MyAdd, "grad_x", lambda self, grad, x: grad * x, "There is an extra factor x"),
    "mean of all": (MyAdd, "grad_x", lambda self, grad: grad.mean(0), "has the shape of its input"),
    "one too many": (MyAdd, "grad_x", lambda self, grad: grad + 1, PROPORTIONAL),
    "size": (MyAdd, "grad_x", lambda self, grad: grad.abs(), PROPORTIONAL),
    "clipped": (MyAdd, "grad_x", lambda self, grad: grad.clamp(-5, 5), PROPORTIONAL),
    "not a number": (MyAdd, "grad_x", lambda self, grad: grad * float("nan"), "a division by 0"),
    "infinite": (MyAdd, "grad_x", lambda self, grad: grad / 0, "a division by 0"),
    "one number": (MyAdd, "grad_x", lambda self, grad: grad.item(), "do not use float() or"),
    "without self": (MyAdd, "grad_x", lambda grad: grad, "`def grad_x(self, grad, ...)`"),
    "static": (MyAdd, "grad_x", staticmethod(lambda grad: grad), "`def grad_x(self, grad, ...)`"),
    "another name": (MyAdd, "grad_x", lambda self, dz: dz, "`grad` is the gradient of the output"),
    # mul
    "own": (MyMul, "grad_x", lambda self, grad, x: grad * x, "derivative by the wrong argument"),
    "no chain": (MyMul, "grad_x", lambda self, y: y, CHAIN),
    "squared": (MyMul, "grad_y", lambda self, grad, x: grad * grad * x, "is a factor twice"),
    "not asked for": (MyMul, "grad_x", lambda self, grad: grad * y, "`def grad_x(self, ..., y)`"),  # noqa: F821 - the mistake
    "of the object": (MyMul, "grad_x", lambda self, grad: grad * self.y, "add y to them"),
    "output for input": (MyMul, "grad_y", lambda self, grad, top: grad * top, "right: read x"),
    "root": (MyMul, "grad_x", lambda self, grad, y: 2**0.5 * grad * y, "sqrt(2) times the right"),
    "root of n": (
        MyMul, "grad_x", lambda self, grad, y: grad * y / 5**0.5,
        "is 1/sqrt(5) times the right one; 5 is the number of rows.",
    ),
    "decimal": (MyMul, "grad_x", lambda self, grad, y: 1.2345 * grad * y, "1.2345 times the right"),
    "misspelt": (MyMul, "grad_x", lambda self, grad, y: gard * y, "called gard here. Did you mean"),  # noqa: F821 - the mistake
    "of no module": (MyMul, "grad_x", lambda self, grad, y: np.mul(grad, y), "import numpy as np"),  # noqa: F821 - the mistake
    "unheard of": (MyMul, "grad_x", lambda self, grad, y: grad * zzz, "Nothing is called zzz"),  # noqa: F821 - the mistake
    "not begun": (MyMul, "grad_x", not_begun, "Replace `raise NotImplementedError` in grad_x"),
    # matmul
    "as it is": (MyMatmul, "grad_x", lambda self, grad, w: grad @ w, "write w.mT"),
    "not turned": (MyMatmul, "grad_w", lambda self, grad, x: x @ grad, "write x.mT"),
    "turned result": (MyMatmul, "grad_w", lambda self, grad, x: grad.mT @ x, "is transposed"),
    "product": (MyMatmul, "grad_x", lambda self, grad, w: grad * w, "grad (5, 4), w (3, 4): do"),
    "no grad": (MyMatmul, "grad_w", lambda self, x: x.mT @ x, CHAIN),
    # bias
    "no sum": (MyAddBias, "grad_bias", lambda self, grad: grad, SUM),
    "mean": (MyAddBias, "grad_bias", lambda self, grad: grad.mean(0), "sum, not mean"),
    "over columns": (MyAddBias, "grad_bias", lambda self, grad: grad.sum(1), "wrong dimension"),
    "kept": (MyAddBias, "grad_bias", lambda self, grad: grad.sum(0, True), "but not their shape"),
    "all": (MyAddBias, "grad_bias", lambda self, grad: grad.sum(), "has the shape of its input"),
    "bias minus": (MyAddBias, "grad_bias", lambda self, grad: -grad.sum(0), "The sign is wrong"),
    # relu
    "no mask": (MyReLU, "grad_x", lambda self, grad: grad, "right where x is positive"),
    "no mask nor grad": (MyReLU, "grad_x", lambda self, x: x.sign().relu(), CHAIN),
    "below": (MyReLU, "grad_x", lambda self, grad, x: ops.where(x < 0, grad, 0.0), "sign of x"),
    "of the gradient": (MyReLU, "grad_x", lambda self, grad: grad.relu(), PROPORTIONAL),
    "mask alone": (MyReLU, "grad_x", lambda self, x: x > 0, "In a product"),
    "if": (MyReLU, "grad_x", lambda self, grad, x: grad if x > 0 else 0, "graphnet.ops.where("),
    "beyond one": (MyReLU, "grad_x", lambda self, grad, x: grad * (x > 1), "how far does y move"),
    "value itself": (MyReLU, "grad_x", lambda self, grad, x: grad * x.relu(), "factor"),
    # sigmoid
    "of x": (MySigmoid, "grad_x", lambda self, grad, x: grad * x * (1 - x), "read `top`"),
    "half of it": (MySigmoid, "grad_x", lambda self, grad, top: grad * top, "(1 - top)"),
    "other half": (MySigmoid, "grad_x", lambda self, grad, top: grad * (1 - top), "factor top"),
    "tanh": (MySigmoid, "grad_x", lambda self, grad, top: grad * (1 - top * top), "as `top`"),
    "slope only": (MySigmoid, "grad_x", lambda self, top: top * (1 - top), CHAIN),
    # cross-entropy
    "no target": (
        MyCrossEntropy, "grad_x", lambda self, grad, x: grad.unsqueeze(1) * x.softmax(1),
        "the one that target selects",
    ),
    "no column": (
        MyCrossEntropy, "grad_x",
        lambda self, grad, x, target: grad * (x.softmax(1) - self.one_hot(x, target)),
        "grad.unsqueeze(1) makes it a column",
    ),
    "reversed": (
        MyCrossEntropy, "grad_x",
        lambda self, grad, x, target: grad.unsqueeze(1) * (self.one_hot(x, target) - x.softmax(1)),
        "The sign is wrong",
    ),
    "mean of rows": (
        MyCrossEntropy, "grad_x",
        lambda self, grad, x, target: (
            grad.unsqueeze(1) * (x.softmax(1) - self.one_hot(x, target)) / 5
        ),
        "division by 5",
    ),
    "target only": (
        MyCrossEntropy, "grad_x",
        lambda self, grad, x, target: -grad.unsqueeze(1) * self.one_hot(x, target),
        "this path is missing",
    ),
    "no method": (
        MyCrossEntropy, "grad_x",
        lambda self, grad, x, target: grad.unsqueeze(1) * one_hot(x, target),  # noqa: F821 - the mistake
        "write self.one_hot(...)",
    ),
    "row": (
        MyCrossEntropy, "grad_x", lambda self, grad, x, target: grad * x, "grad (5,), x (5, 4)",
    ),
    "pi times": (
        MyCrossEntropy, "grad_x",
        lambda self, grad, x, target: 3.14159265 * MyCrossEntropy.grad_x(self, grad, x, target),
        "Your derivative is pi times the right one.",
    ),
    "softmax of columns": (
        MyCrossEntropy, "grad_x",
        lambda self, grad, x, target: grad.unsqueeze(1) * (x.softmax(0) - self.one_hot(x, target)),
        "two terms separately",
    ),
    # linear
    "turned weight": (MyLinear, "grad_x", lambda self, grad, weight: grad @ weight.mT, "weight.mT"),
    "turned rule": (MyLinear, "grad_weight", lambda self, grad, x: x.mT @ grad, "is transposed"),
    "bias of one row": (MyLinear, "grad_bias", lambda self, grad: grad, SUM),
    "mean weight": (MyLinear, "grad_weight", lambda self, grad, x: grad.mT @ x / 5, "not mean"),
    # convolution
    "not flipped": (
        MyConv1d, "grad_x",
        lambda self, grad, weight: ops.pad(grad, (2, 2)).unfold(1, 3, 1).matmul(weight),
        "weight is used in the wrong direction",
    ),
    "first only": (
        MyConv1d, "grad_x", lambda self, grad, weight: ops.pad(grad, (0, 2)) * weight[0],
        "this path is missing",
    ),
    "each row": (
        MyConv1d, "grad_weight",
        lambda self, grad, x: (x.unfold(1, 3, 1) * grad.unsqueeze(2)).sum(1), SUM,
    ),
    "each window": (
        MyConv1d, "grad_weight",
        lambda self, grad, x: (x.unfold(1, 3, 1) * grad.unsqueeze(2)),
        "The sum over the batch and dimension 1 is missing",
    ),
    "rows only": (
        MyConv1d, "grad_weight",
        lambda self, grad, x: (x.unfold(1, 3, 1) * grad.unsqueeze(2)).sum(0),
        "The sum over dimension 0 is missing",
    ),
    "mean of windows": (
        MyConv1d, "grad_weight",
        lambda self, grad, x: (x.unfold(1, 3, 1) * grad.unsqueeze(2)).mean(1).sum(0),
        "extra division by 6, the size of dimension 1 of the output",
    ),
    "mean of all windows": (
        MyConv1d, "grad_weight",
        lambda self, grad, x: (x.unfold(1, 3, 1) * grad.unsqueeze(2)).mean((0, 1)),
        "extra division by 30, the number of elements of the output",
    ),
    "last first": (
        MyConv1d, "grad_weight",
        lambda self, grad, x: MyConv1d.grad_weight(self, grad, x).flip(0),
        "The result is reversed",
    ),
    # batch norm
    "fixed statistics": (
        MyBatchNorm, "grad_x", lambda self, grad, x, weight: grad * weight / self.deviation(x),
        "Mean and variance are taken for constants",
    ),
    "fixed variance": (
        MyBatchNorm, "grad_x",
        lambda self, grad, x, weight: (grad - grad.mean(0)) * weight / self.deviation(x),
        "The variance is taken for a constant",
    ),
    "sums for means": (
        MyBatchNorm, "grad_x",
        lambda self, grad, x, weight: MyBatchNorm.grad_x(self, grad, x, weight)
        - 4 * grad.mean(0) * weight / self.deviation(x)
        - 4 * self.normalized(x) * (grad * self.normalized(x)).mean(0) * weight / self.deviation(x),
        "in three ways",
    ),
    "no small number": (
        MyBatchNorm, "grad_x",
        lambda self, grad, x, weight: MyBatchNorm.grad_x(Bare(), grad, x, weight),
        "in three ways",
    ),
    "weight over columns": (
        MyBatchNorm, "grad_weight", lambda self, grad, x: (grad * self.normalized(x)).sum(1),
        "wrong dimension remains",
    ),
    "variance forgotten": (
        MyBatchNorm, "grad_weight", lambda self, grad, x: grad * self.normalized(x), SUM,
    ),
    "unscaled": (
        MyBatchNorm, "grad_x",
        lambda self, grad, x: MyBatchNorm.grad_x(self, grad, x, 1.0), "factor weight",
    ),
    "raw": (MyBatchNorm, "grad_weight", lambda self, grad, x: (grad * x).sum(0), "not x itself"),
    # what is no rule
    "nothing": (MyMul, "grad_x", lambda self, grad, y: None, "return"),
    "number": (MyMul, "grad_x", lambda self, grad, y: 3.0, "must be a tensor"),
    "in place": (MyReLU, "grad_x", in_place, "write in place"),
    "stranger": (MyMul, "grad_x", lambda self, grad, z: grad * z, ""),
}  # fmt: skip
