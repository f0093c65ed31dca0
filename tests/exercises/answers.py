"""A right answer to each exercise."""

from __future__ import annotations

from graphnet import ops
from graphnet.exercises import (
    Adam,
    Add,
    AddBias,
    Attention,
    BatchNorm,
    Conv1d,
    Conv2d,
    CrossEntropy,
    Dropout,
    LayerNorm,
    Linear,
    Matmul,
    MaxPool2d,
    Mul,
    ReLU,
    RNNCell,
    SecondDerivative,
    Sigmoid,
    TiedWeights,
    TrainingLoop,
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


class MyDropout(Dropout):
    def grad_x(self, grad, kept):
        return grad * self.mask(grad, kept) / 0.75


class MyMaxPool2d(MaxPool2d):
    def grad_x(self, grad, x, top):
        return ops.where(x >= self.spread(top), self.spread(grad), 0.0)


class MyConv2d(Conv2d):
    def grad_x(self, grad, weight):
        columns = weight.reshape(-1, 12).mT @ grad.flatten(2)
        return ops.fold(columns, (4, 5), (2, 3))

    def grad_weight(self, grad, x):
        return (grad.flatten(2) @ self.columns(x).mT).sum(0).reshape(-1, 2, 2, 3)


class MyLayerNorm(LayerNorm):
    def grad_x(self, grad, x, weight):
        standard = self.normalized(x)
        given = grad * weight
        given = given - given.mean(1, True) - standard * (given * standard).mean(1, True)
        return given / self.deviation(x)

    def grad_weight(self, grad, x):
        return (grad * self.normalized(x)).sum(0)

    def grad_bias(self, grad):
        return grad.sum(0)


class MyRNNCell(RNNCell):
    def inner(self, grad, top):
        return grad * (1 - top * top)

    def grad_x(self, grad, top, weight):
        return self.inner(grad, top) @ weight

    def grad_h(self, grad, top, recurrent):
        return self.inner(grad, top) @ recurrent

    def grad_weight(self, grad, top, x):
        return self.inner(grad, top).mT @ x

    def grad_recurrent(self, grad, top, h):
        return self.inner(grad, top).mT @ h

    def grad_bias(self, grad, top):
        return self.inner(grad, top).sum(0)


class MyTiedWeights(TiedWeights):
    def inner(self, grad, x, weight):
        code = self.code(x, weight)
        return (grad @ weight) * (1 - code * code)

    def grad_x(self, grad, x, weight):
        return self.inner(grad, x, weight) @ weight.mT

    def grad_weight(self, grad, x, weight):
        return x.mT @ self.inner(grad, x, weight) + grad.mT @ self.code(x, weight)


class MySecondDerivative(SecondDerivative):
    def grad_d(self, grad, x):
        return grad * self.slope(x)

    def grad_x(self, grad, d, x):
        return -2 * grad * d * x.tanh() * self.slope(x)


class MyAttention(Attention):
    def scores(self, grad, q, k, v):
        shares, given = self.shares(q, k), grad @ v.mT
        return shares * (given - (given * shares).sum(1, True)) / 3**0.5

    def grad_q(self, grad, q, k, v):
        return self.scores(grad, q, k, v) @ k

    def grad_k(self, grad, q, k, v):
        return self.scores(grad, q, k, v).mT @ q

    def grad_v(self, grad, q, k):
        return self.shares(q, k).mT @ grad


class MyAdam(Adam):
    def update(self, value, grad, mean, square, step):
        mean = self.beta1 * mean + (1 - self.beta1) * grad
        square = self.beta2 * square + (1 - self.beta2) * grad**2
        m, v = mean / (1 - self.beta1**step), square / (1 - self.beta2**step)
        return value - self.lr * m / (v.sqrt() + self.eps), mean, square


class MyTrainingLoop(TrainingLoop):
    def train(self, graph, loss, optimizer, batches, epochs):
        losses = []
        for _ in range(epochs):
            for batch in batches:
                losses.append(float(graph.forward(batch)))
                graph.backward(loss)
                optimizer.step()
        return losses


RIGHT = [
    MyAdd, MyMul, MyMatmul, MyAddBias, MyReLU, MySigmoid, MyCrossEntropy, MyLinear, MyConv1d,
    MyBatchNorm, MyDropout, MyMaxPool2d, MyConv2d, MyLayerNorm, MyRNNCell, MyTiedWeights,
    MySecondDerivative, MyAttention, MyAdam, MyTrainingLoop,
]  # fmt: skip
