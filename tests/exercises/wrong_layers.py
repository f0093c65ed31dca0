"""Typical wrong rules of layers and of what meets in them, each with a part of its hint."""

from __future__ import annotations

from exercises.answers import (
    MyAttention,
    MyConv2d,
    MyDropout,
    MyLayerNorm,
    MyMaxPool2d,
    MyRNNCell,
    MySecondDerivative,
    MyTiedWeights,
)

from graphnet import ops


def scores_by_sigmoid(self, grad, q, k, v):
    shares = self.shares(q, k)
    return grad @ v.mT * shares * (1 - shares) / 3**0.5 @ k


def separate_shares(self, grad, q, k, v):
    return self.shares(q, k) * (grad @ v.mT) / 3**0.5 @ k


# The rule is named by the first letter of its input.
WRONG_LAYERS = {
    # dropout
    "no mask": (MyDropout, "grad_x", lambda self, grad: grad / 0.75, "it gets no gradient"),
    "no dropout": (MyDropout, "grad_x", lambda self, grad: grad, "as if nothing was dropped"),
    "dropped": (
        MyDropout, "grad_x", lambda self, grad, kept: grad * (1 - self.mask(grad, kept)) / 0.75,
        "the other way round",
    ),
    "not larger": (
        MyDropout, "grad_x", lambda self, grad, kept: grad * self.mask(grad, kept),
        "Your derivative is 3/4 times the right one.",
    ),
    "smaller": (
        MyDropout, "grad_x", lambda self, grad, kept: grad * self.mask(grad, kept) * 0.75,
        "where the forward divides",
    ),
    "of the value": (
        MyDropout, "grad_x", lambda self, x, kept: x * self.mask(x, kept) / 0.75, "The chain rule",
    ),
    # max pool
    "all four": (MyMaxPool2d, "grad_x", lambda self, grad: self.spread(grad), "All four pixels"),
    "mean pool": (
        MyMaxPool2d, "grad_x", lambda self, grad: self.spread(grad) / 4, "rule of mean pooling",
    ),
    "smallest": (
        MyMaxPool2d, "grad_x",
        lambda self, grad, x: ops.where(
            x <= self.spread(self.windows(x).amin(-1)), self.spread(grad), 0.0
        ),
        "here it is the largest",
    ),
    "the rest": (
        MyMaxPool2d, "grad_x",
        lambda self, grad, x, top: ops.where(x < self.spread(top), self.spread(grad), 0.0),
        "the wrong way round",
    ),
    "not spread": (MyMaxPool2d, "grad_x", lambda self, grad: grad, "has the shape of its input"),
    # convolution
    "flipped": (
        MyConv2d, "grad_x",
        lambda self, grad, weight: MyConv2d.grad_x(self, grad, weight.flip(2).flip(3)),
        "upside down",
    ),
    "flipped along": (
        MyConv2d, "grad_x",
        lambda self, grad, weight: MyConv2d.grad_x(self, grad, weight.flip(3)),
        "weight is used in the wrong direction: along dimension 3",
    ),
    "images": (
        MyConv2d, "grad_weight",
        lambda self, grad, x: MyConv2d.grad_weight(self, grad, x) / 3, "division by 3",
    ),
    "one image": (
        MyConv2d, "grad_weight",
        lambda self, grad, x: MyConv2d.grad_weight(self, grad[:1], x[:1]), "this path is missing",
    ),
    "first channel": (
        MyConv2d, "grad_x",
        lambda self, grad, weight: ops.pad(
            MyConv2d.grad_x(self, grad, weight)[:, :1], (0, 0, 0, 0, 0, 1)
        ),
        "Only the first channel",
    ),
    "columns": (
        MyConv2d, "grad_x",
        lambda self, grad, weight: weight.reshape(-1, 12).mT @ grad.flatten(2),
        "has the shape of its input",
    ),
    # layer norm
    "fixed": (
        MyLayerNorm, "grad_x", lambda self, grad, x, weight: grad * weight / self.deviation(x),
        "Mean and variance are taken for constants",
    ),
    "fixed variance of a row": (
        MyLayerNorm, "grad_x",
        lambda self, grad, x, weight: (
            (grad * weight - (grad * weight).mean(1, True)) / self.deviation(x)
        ),
        "The variance is taken for a constant",
    ),
    "unscaled row": (
        MyLayerNorm, "grad_x", lambda self, grad, x: MyLayerNorm.grad_x(self, grad, x, 1.0),
        "in three ways",
    ),
    "weight of x": (MyLayerNorm, "grad_weight", lambda self, grad, x: (grad * x).sum(0), "not x"),
    "bias over columns": (MyLayerNorm, "grad_bias", lambda self, grad: grad.sum(1), "dimension"),
    # rnn cell
    "no tanh": (MyRNNCell, "grad_x", lambda self, grad, weight: grad @ weight, "tanh is missing"),
    "bias without tanh": (MyRNNCell, "grad_bias", lambda self, grad: grad.sum(0), "1 - top²"),
    "sigmoid": (
        MyRNNCell, "grad_h",
        lambda self, grad, top, recurrent: (grad * top * (1 - top)) @ recurrent,
        "derivative of a sigmoid",
    ),
    "turned": (
        MyRNNCell, "grad_h",
        lambda self, grad, top, recurrent: (grad * (1 - top * top)) @ recurrent.mT,
        "write recurrent.mT, or recurrent instead",
    ),
    "bias of each row": (
        MyRNNCell, "grad_bias", lambda self, grad, top: grad * (1 - top * top), "over the batch",
    ),
    # tied weights
    "first use": (
        MyTiedWeights, "grad_weight",
        lambda self, grad, x, weight: x.mT @ self.inner(grad, x, weight), "Only the first use",
    ),
    "second use": (
        MyTiedWeights, "grad_weight",
        lambda self, grad, x, weight: grad.mT @ self.code(x, weight), "Only the second use",
    ),
    "mean of uses": (
        MyTiedWeights, "grad_weight",
        lambda self, grad, x, weight: MyTiedWeights.grad_weight(self, grad, x, weight) / 2,
        "not their mean",
    ),
    "code without tanh": (
        MyTiedWeights, "grad_x", lambda self, grad, weight: grad @ weight @ weight.mT,
        "derivative of tanh is missing",
    ),
    # second derivative
    "first derivative": (
        MySecondDerivative, "grad_x", lambda self, grad, d, x: grad * d * self.slope(x),
        "This is the first derivative",
    ),
    "plus": (
        MySecondDerivative, "grad_x",
        lambda self, grad, d, x: 2 * grad * d * x.tanh() * self.slope(x), "The sign is wrong",
    ),
    "outer only": (
        MySecondDerivative, "grad_x", lambda self, grad, d, x: -2 * grad * d * x.tanh(),
        "another factor 1 - tanh²x",
    ),
    "without two": (
        MySecondDerivative, "grad_x",
        lambda self, grad, d, x: -grad * d * x.tanh() * self.slope(x), "factor 2 is missing",
    ),
    "without d": (
        MySecondDerivative, "grad_x", lambda self, grad, x: -2 * grad * x.tanh() * self.slope(x),
        "factor d is missing",
    ),
    # attention
    "no root": (
        MyAttention, "grad_q",
        lambda self, grad, q, k, v: MyAttention.grad_q(self, grad, q, k, v) * 3**0.5,
        "Your derivative is sqrt(3) times the right one; 3 is the size of dimension 1 of q.",
    ),
    "keys without root": (
        MyAttention, "grad_k",
        lambda self, grad, q, k, v: MyAttention.grad_k(self, grad, q, k, v) * 3,
        "There is an extra factor 3.",
    ),
    "by a sigmoid": (MyAttention, "grad_q", scores_by_sigmoid, "the others act too"),
    "shares alone": (MyAttention, "grad_q", separate_shares, "a term is missing"),
    "no softmax": (
        MyAttention, "grad_q", lambda self, grad, k, v: grad @ v.mT @ k / 3**0.5,
        "derivative of softmax is missing",
    ),
    "values turned": (
        MyAttention, "grad_v", lambda self, grad, q, k: self.shares(q, k) @ grad, "do these",
    ),
}  # fmt: skip
