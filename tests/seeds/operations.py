"""Wrong numbers of single operations: a rule, a broadcast, a kink, an option."""

from __future__ import annotations

from seeds.fault import Fault

OPERATIONS = [
    # a sign
    Fault("Sub", "return -grad", "return grad"),
    Fault("Neg", "return -grad", "return grad"),
    Fault("Tanh", "1 - top * top", "1 + top * top"),
    Fault("Sigmoid", "1 - top)", "1 + top)"),
    Fault("Div", "return -grad", "return grad"),
    Fault("Log1p", "(x + 1)", "(x - 1)"),
    Fault("SquaredError", "target - x)", "x - target)"),
    Fault("BinaryCrossEntropy", "(x - target) /", "(target - x) /"),
    # a factor
    Fault("Sqrt", "(2 * top)", "top"),
    Fault("SquaredError", "(2 * (x - target))", "(x - target)"),
    Fault("PowScalar", "self.exponent * x", "x"),
    Fault("PowScalar", "self.exponent - 1)", "self.exponent)"),
    Fault("Mean", "grad = grad / count(x_like, dim)", "pass"),
    Fault("Mean", "count(x_like, dim)", "(count(x_like, dim) - 1)"),
    Fault("Maximum", "grad / 2, grad), x < y", "grad, grad), x < y"),
    # a missing grad, a wrong value, a forgotten square
    Fault("Exp", "return grad * top", "return top"),
    Fault("Tanh", "return grad * (1 - top * top)", "return 1 - top * top"),
    Fault("Tanh", "1 - top * top", "1 - top"),
    Fault("Mul", "return grad * y", "return grad"),
    Fault("Div", "((x / y) / y)", "(x / y)"),
    Fault("Log", "return grad / x", "return grad * x"),
    Fault("Abs", "grad * x.sign()", "grad * x"),
    Fault("Exponential", "log(self.base) if", "self.base if"),
    Fault("Pow", "(y * x ** (y - 1))", "(y * x ** y)"),
    Fault("Pow", "top * x.log()", "top * y.log()"),
    # transposed, swapped
    Fault("Matmul", "grad.matmul(y.mT)", "grad.matmul(y)"),
    Fault("Matmul", "x.mT.matmul(grad)", "x.matmul(grad)"),
    Fault("Linear", "grad.matmul(weight)", "grad.matmul(weight.mT)"),
    Fault("Linear", "_rows(grad).mT.matmul(_rows(x))", "_rows(x).mT.matmul(_rows(grad))"),
    Fault("Vecmat", "(grad.unsqueeze(-2) * y)", "(grad.unsqueeze(-2) + y)"),
    Fault("Transpose", "grad.transpose(self.dim0, self.dim1)", "grad"),
    Fault("Permute", "place[dim] for", "self.dims[dim] for"),
    Fault("Where", "condition, grad, 0.0)", "condition, 0.0, grad)"),
    # a missing sum
    Fault("Linear", "_rows(grad).sum(0)", "_rows(grad)[0]"),
    Fault("Vecmat", "* y).sum(-1)", "* y).mean(-1)"),
    Fault("Add", 'infix = "+"', 'infix = "+"\n    broadcasts = False'),
    Fault("Mul", 'infix = "⊙"', 'infix = "⊙"\n    broadcasts = False'),
    Fault("Matmul", "broadcasts = True", "broadcasts = False"),
    Fault("Expand", "return sum_as(grad, x_like)", "return grad"),
    Fault("ExpandAs", "grad_x = Expand.grad_x", "grad_x = None"),
    Fault("SumAs", "return expand_as(grad, x_like)", "return grad"),
    # > for >=, and other kinks
    Fault("Relu", "top <= 0", "top < 0"),
    Fault("Ge", "x.ge(y)", "x.gt(y)"),
    Fault("Gt", "x.gt(y)", "x.ge(y)"),
    Fault("Le", "x.le(y)", "x.lt(y)"),
    Fault("Eq", "x.eq(y)", "x.ne(y)"),
    Fault("MaskedFill", "zero_where(grad, mask)", "grad"),
    Fault("BinaryCrossEntropy", ".clamp(min=-100) - target", ".clamp(min=-10) - target"),
    Fault("BinaryCrossEntropy", ".clamp(min=_LEAST_VARIANCE)", ""),
    # a mutated input
    Fault("Relu", "return x.relu()", "return x.relu_()"),
    Fault("Add", "return x + y", "return x.add_(y)"),
    Fault("Exp", "return x.exp()", "return x.exp_()"),
    Fault("Tanh", "return x.tanh()", "return x.tanh_()"),
    # a dropped argument, a wrong option, off by one
    Fault("Sum", "x.sum(self.dims, self.keepdim)", "x.sum(self.dims)"),
    Fault("Sum", "restore_dims(grad, self.dims, self.keepdim)", "grad"),
    Fault("Mean", "x.mean(self.dims, self.keepdim)", "x.mean(self.dims)"),
    Fault("Mean", "if self.nonempty and not", "if not", "Mean"),
    Fault("Clamp", "x.clamp(self.min, self.max)", "x.clamp(self.min)"),
    Fault("Unsqueeze", "x.unsqueeze(self.dim)", "x.unsqueeze(self.dim - 1)"),
    Fault("Size", "x_like.size(self.dim)", "x_like.size(self.dim - 1)"),
    Fault("count", "max(known, 1)", "known", "Mean or Sum"),
    Fault("Reshape", "x.reshape(self.shape)", "x.reshape(self.shape[::-1])"),
    # precision, and what holds for nodes
    Fault("Sqrt", "return x.sqrt()", "return x.float().sqrt()"),
    Fault("Exp", "return x.exp()", "return x.double().exp()"),
    Fault("Size", ".long() *", ".float() *", "Size or Mean"),
]
