"""Right answers to the ten exercises, and typical wrong rules with a part of their hints."""

from __future__ import annotations

from graphnet import ops
from graphnet.exercises import (
    Add,
    AddBias,
    BatchNorm,
    Conv1d,
    CrossEntropy,
    Linear,
    Matmul,
    Mul,
    ReLU,
    Sigmoid,
)


class MyAdd(Add):
    def grad_x(self, grad):
        return grad

    def grad_y(self, grad):
        return grad


class MyMul(Mul):
    def grad_x(self, grad, y):
        return grad * y

    def grad_y(self, grad, x):
        return grad * x


class MyMatmul(Matmul):
    def grad_x(self, grad, w):
        return grad @ w.mT

    def grad_w(self, grad, x):
        return x.mT @ grad


class MyAddBias(AddBias):
    def grad_x(self, grad):
        return grad

    def grad_bias(self, grad):
        return grad.sum(0)


class MyReLU(ReLU):
    def grad_x(self, grad, x):
        return ops.where(x > 0, grad, 0.0)


class MySigmoid(Sigmoid):
    def grad_x(self, grad, top):
        return grad * top * (1 - top)


class MyCrossEntropy(CrossEntropy):
    def grad_x(self, grad, x, target):
        return grad.unsqueeze(1) * (x.softmax(1) - self.one_hot(x, target))


class MyLinear(Linear):
    def grad_x(self, grad, weight):
        return grad @ weight

    def grad_weight(self, grad, x):
        return grad.mT @ x

    def grad_bias(self, grad):
        return grad.sum(0)


class MyConv1d(Conv1d):
    def grad_x(self, grad, weight):
        shares = [ops.pad(grad, (place, 2 - place)) * weight[place] for place in range(3)]
        return shares[0] + shares[1] + shares[2]

    def grad_weight(self, grad, x):
        return (x.unfold(1, 3, 1) * grad.unsqueeze(2)).sum((0, 1))


class MyBatchNorm(BatchNorm):
    def grad_x(self, grad, x, weight):
        standard = self.normalized(x)
        given = grad * weight
        given = given - given.mean(0) - standard * (given * standard).mean(0)
        return given / self.deviation(x)

    def grad_weight(self, grad, x):
        return (grad * self.normalized(x)).sum(0)

    def grad_bias(self, grad):
        return grad.sum(0)


RIGHT = [
    MyAdd, MyMul, MyMatmul, MyAddBias, MyReLU, MySigmoid, MyCrossEntropy, MyLinear, MyConv1d,
    MyBatchNorm,
]  # fmt: skip
