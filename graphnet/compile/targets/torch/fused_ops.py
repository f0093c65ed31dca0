"""Operations that only a program has: several steps that torch does in one.

Each is one class, listed in `FUSED`: its rule, which is also the pattern by which it is found, the
conditions, and the line of its kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any

import torch

from graphnet.compile.ir.program import Sources, is_half
from graphnet.compile.plan.calls import Call
from graphnet.compile.targets.torch.fused_base import Fused
from graphnet.compile.targets.torch.fused_sums import (
    Addcdiv,
    Addcmul,
    AddScaled,
    AddTwice,
    Lerp,
    SumOfOpposite,
)
from graphnet.compile.targets.torch.kernel import Kernel
from graphnet.graph.nodes import Literal
from graphnet.op import Op, Symbolic
from graphnet.ops.arithmetic import Mul
from graphnet.ops.broadcasting import ExpandAs
from graphnet.ops.classification import Pick, Place
from graphnet.ops.losses import Total
from graphnet.ops.pooling import MaxPlaces, PutPixels
from graphnet.ops.products import Linear

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.rewrite import Rewriting
    from graphnet.compile.targets.torch.select import Selection
    from graphnet.graph import Node, Operation

_DOT = Kernel("dot({x}, {y}, out={out})")
_NLL = Kernel("{out}, {out1} = nll_loss_forward({x}, {labels}, None, 1, {ignored})")
_NLL_GRAD = Kernel(
    "nll_loss_backward({grad}, {x}, {labels}, None, 1, {ignored}, {counted}, grad_input={out})"
)
_LINEAR = Linear()  # making an op takes longer than some kernels


class Copy(Op):
    """y = x, in memory of its own.  Shapes: any."""

    symbol = "copy"
    elementwise = True

    def forward(self, x: Tensor) -> Tensor:
        return x.clone()

    grad_x = None


class TanhGrad(Op, Fused):
    """z = g (1 - y²): the gradient through y = tanh x.  Shapes: any."""

    symbol = "tanh'"
    out = "tanh_backward({grad}, {y}, grad_input={out})"
    elementwise = True

    def forward(self, grad: Tensor | float, y: Tensor) -> Tensor:
        return grad * (1 - y * y)


class SigmoidGrad(Op, Fused):
    """z = g y (1 - y): the gradient through y = σ(x).  Shapes: any."""

    symbol = "σ'"
    out = "sigmoid_backward({grad}, {y}, grad_input={out})"
    elementwise = True

    def forward(self, grad: Tensor | float, y: Tensor) -> Tensor:
        return grad * (y * (1 - y))


class ReluGrad(Op, Fused):
    """z = g where y > 0, else 0: the gradient through y = relu x.  Shapes: any."""

    symbol = "relu'"
    out = "relu_backward({grad}, {y}, 0, grad_input={out})"
    elementwise = True

    def forward(self, grad: Tensor, y: Tensor) -> Tensor:
        return grad.masked_fill(y <= 0, 0.0)


class LogSoftmaxGrad(Op, Fused):
    """z = g - eʸ Σ g: the gradient through y = log softmax x.  Shapes: s, s -> s."""

    symbol = "log softmax'"
    out = "log_softmax_backward({grad}, {y}, {dim}, {y}.dtype, out={out})"
    dim: int

    def forward(self, grad: Tensor, y: Tensor) -> Tensor:
        return grad - y.exp() * grad.sum(self.dim, True)

    def fits(self, grad: Node, y: Node) -> bool:
        return grad.shape == y.shape


class MaxPoolGrad(Op, Fused):
    """The gradient of max pooling with respect to its input x, from the indices of the maxima.

    Shapes: (n, c, a, b), (n, c, a, b), (n, c, h, w) -> (n, c, h, w).
    """

    symbol = "max pool'"
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    ceil_mode: bool = False

    def forward(self, grad: Tensor, places: Tensor, x: Tensor) -> Tensor:
        return rule(PutPixels(), grad)(grad, places, x)

    def find_places(self, x: Tensor) -> Tensor:
        return MaxPlaces(*self.options.values())(x)


class NllMean(Op, Fused):
    """y = the mean of -x[label] over the labels that are not to be ignored.

    Shapes: (n, c), (n) -> ().
    """

    symbol = "nll"
    ignored: int = -100

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        picked = rule(Pick(self.ignored), x)(x, target)
        return (-picked).sum() / rule(Total(), x)(target.ne(self.ignored))

    def fits(self, x: Node, target: Node) -> bool:
        return x.ndim == 2

    @staticmethod
    def lower(selection: Selection, node: Operation) -> None:
        """The same kernel returns how many labels count."""
        x, labels = (selection.slots[each] for each in node.inputs)
        out = selection.made(node)
        counted = selection.derived(out, "_counted", selection.new(node, made=True))
        selection.once(("counted", node), lambda: counted)
        args = {"x": x, "labels": labels}
        selection.add(Call(_NLL, (out, counted), args, node, node.op.options))
        selection.finish(node, out)


class NllMeanGrad(Op, Fused):
    """The gradient of y = nll(x, labels) with respect to x, if that of y is g.

    Shapes: (), (), (n, c), (n) -> (n, c).
    """

    symbol = "nll'"
    ignored: int = -100

    def forward(self, grad: Tensor, top: Tensor, x: Tensor, target: Tensor) -> Tensor:
        share = rule(ExpandAs(), grad)(grad / rule(Total(), x)(target.ne(self.ignored)), target)
        return rule(Place(self.ignored), -share)(-share, target, x)

    def find_top(self, x: Tensor, target: Tensor) -> Tensor:
        return NllMean(self.ignored)(x, target)

    def fits(self, grad: Node, top: Node, x: Node, target: Node) -> bool:
        return grad.shape == ()

    @staticmethod
    def lower(selection: Selection, node: Operation) -> None:
        """It reads how many labels count beside the loss."""
        grad, top, x, labels = node.inputs
        out = selection.place(node)
        counted = selection.once(("counted", top), lambda: selection.slots[top])
        args = {name: selection.slots[each] for name, each in (("grad", grad), ("x", x))}
        args |= {"labels": selection.slots[labels], "counted": counted}
        selection.add(Call(_NLL_GRAD, (out,), args, node, node.op.options))


class Dot(Op, Fused):
    """z = Σ x y over all elements.  Shapes: s, s -> ()."""

    symbol = "dot"
    read_once = True

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return (x * y).sum()

    def fits(self, x: Node, y: Node) -> bool:
        return x.shape == y.shape and 0 not in x.shape and not is_half(x)

    @staticmethod
    def lower(selection: Selection, node: Operation) -> None:
        """A product of vectors, of what lies side by side in memory."""
        x, y = (selection.slots[each] for each in node.inputs)
        if not all(each.is_fixed and each.is_contiguous for each in (x, y)):
            selection.own_rule(node)
            return
        args = {n: selection.derived(v, "_flat", v.view(-1)) for n, v in (("x", x), ("y", y))}
        selection.add(Call(_DOT, (selection.place(node),), args, node))


class DotMean(Op, Fused):
    """z = the mean of x y over all elements, which is `Dot` and a product.  Shapes: s, s -> ()."""

    symbol = "dot / n"
    read_once = True

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return (x * y).mean()

    fits = Dot.fits

    def instead(self, copy: Rewriting, x: Node, y: Node) -> tuple[Op, Sources]:
        count = prod(size or 0 for size in x.shape)
        return Mul(), (copy.new.use(Dot(), (x, y), "dot"), Literal(1 / count))


class LinearThen(Op, Fused):
    """y = f(x wᵀ + b) for an activation f.  Shapes: (n, k), (m, k), (m) -> (n, m)."""

    read_once = True
    activation: str
    choices = ({"activation": "tanh"}, {"activation": "relu"}, {"activation": "sigmoid"})

    @property
    def symbol(self) -> str:  # type: ignore[override]  # it says which activation follows
        return f"linear, {self.activation}"

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        y: Tensor = getattr(rule(_LINEAR, x)(x, weight, bias), self.activation)()
        return y

    def fits(self, x: Node, weight: Node, bias: Node) -> bool:
        return x.ndim == 2 and bias.shape == weight.shape[:1]


def rule(op: Op, x: Any) -> Callable[..., Tensor]:
    """An op as it applies to a symbol, or its bare rule for a tensor.

    A kernel does not check that there are labels that count, as `Total` does.
    """
    if isinstance(x, Symbolic):
        return op
    return torch.sum if isinstance(op, Total) else op.forward


FUSED: tuple[Any, ...] = (
    *(TanhGrad, SigmoidGrad, ReluGrad, LogSoftmaxGrad, MaxPoolGrad),
    *(NllMean, NllMeanGrad, Dot, DotMean, LinearThen),
    *(AddTwice, SumOfOpposite, Addcmul, Addcdiv, Lerp, AddScaled),
)
"""What `fuse` looks for; of several that end in the same operation, the first that fits."""
