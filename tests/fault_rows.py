"""The faults that `faults.py` seeds: each is one small change, and says which tests must catch it."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """A change of the source of one class, method or function.

    Attributes:
        owner: its name; "Plan.is_for" for a method.
        old: the text that is replaced, where it first stands behind the docstring.
        new: what it is replaced by.
        words: the words that select the tests, as for `pytest -k`. For an operation, its name where
            empty.
        file: of the package; any of graphnet/ops where empty.
        tests: the files of tests that must catch it, with spaces between; those of operations where
            empty.
    """

    owner: str
    old: str
    new: str
    words: str = ""
    file: str = ""
    tests: str = ""


def _seeded_in(file: str, tests: str, *faults: Fault) -> list[Fault]:
    """Faults of one file of the package that the same tests must catch."""
    return [fault._replace(file=file, tests=tests) for fault in faults]


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
    Fault("Maximum", "grad / 2, grad).masked_fill(x < y", "grad, grad).masked_fill(x < y"),
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
    Fault("Add", "broadcasts = True", "broadcasts = False"),
    Fault("Mul", "broadcasts = True", "broadcasts = False"),
    Fault("Matmul", "broadcasts = True", "broadcasts = False"),
    Fault("Expand", "return sum_as(grad, x_like)", "return grad"),
    Fault("ExpandAs", "return sum_as(grad, x_like)", "return grad"),
    Fault("SumAs", "return expand_as(grad, x_like)", "return grad"),
    # > for >=, and other kinks
    Fault("Relu", "top <= 0", "top < 0"),
    Fault("Ge", "x.ge(y)", "x.gt(y)"),
    Fault("Gt", "x.gt(y)", "x.ge(y)"),
    Fault("Le", "x.le(y)", "x.lt(y)"),
    Fault("Eq", "x.eq(y)", "x.ne(y)"),
    Fault("MaskedFill", "grad.masked_fill(mask, 0.0)", "grad"),
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
"""Wrong numbers of single operations: a rule, a broadcast, a kink, an option."""

PACKAGE: list[Fault] = [
    # a gradient is used once, and none is no gradient
    *_seeded_in(
        "optim/base.py", "optim/test_used_once.py",
        Fault("Optimizer.prepared", "if each.fresh}", "if each.grad is not None}"),
    ),
    *_seeded_in(
        "graph/parameter.py", "optim/test_used_once.py",
        Fault("Parameter.stepped", "= True, False", "= True, True"),
        Fault("Parameter.receive", "and self.fresh", "and self._has_grad", "not_added_to"),
        Fault("Parameter.receive", "with self.home.lock", "if True", "threads"),
    ),
    *_seeded_in(
        "graph/passes.py", "optim/test_used_once.py",
        Fault("commit", "parameter.grad = None", "parameter.receive(parameter.top * 0)", "head"),
    ),
    *_seeded_in(
        "compile/plan.py", "optim/test_used_once.py",
        Fault("Roles.given", "each.fresh and", "each.grad is not None and", "head"),
        Fault("Roles.__init__", "each.requires_grad and each in found", "each.requires_grad", "head"),
    ),
    *_seeded_in(
        "compile/training.py", "optim/test_used_once.py",
        Fault("Step._prepared", "if not each.fresh:", "if False:", "not_added_to"),
        Fault("Step._done", "parameter.grad = None", "pass", "refused_step"),
    ),
    # the mode of another module
    *_seeded_in(
        "graph/naming.py", "graph/test_modes.py",
        Fault("Scopes.leader", "scope.held or ", "True or "),
        Fault("Scopes.leader", "return scope.owner", "return self._stack[1].owner"),
    ),
    *_seeded_in(
        "graph/nodelist.py", "graph/test_modes.py",
        Fault("NodeList.modes", "[owner.training for", "[self.training for"),
        Fault("NodeList.evaluating", "owner.training = mode", "owner.training = True"),
    ),
    *_seeded_in(
        "graph/kinds.py", "graph/test_modes.py",
        Fault("as_argument", " and not isinstance(source, Mode)", ""),
    ),
    *_seeded_in(
        "train/run.py", "graph/test_modes.py",
        Fault("Run.train", "if not self.task.model.training:", "if True:"),
        Fault("Run.train", "if not self.task.model.training:", "if False:"),
    ),
    # counts and sums in half precision
    *_seeded_in(
        "ops/dtypes.py", "ops/test_short_types.py",
        Fault("is_half", "< 4", "< 2"),
    ),
    *_seeded_in(
        "ops/reductions.py", "ops/test_short_types.py compile/test_ranges.py",
        Fault("Var.grad_x", "self.divisor(twice)", "self.divisor(x)", "var"),
    ),
    *_seeded_in(
        "ops/mean_pooling.py", "ops/test_short_types.py",
        Fault("pixels_in", "widened(x.new_empty(0))", "x.new_empty(0)"),
    ),
    *_seeded_in(
        "ops/softmaxes.py", "ops/test_short_types.py",
        Fault("LogSoftmax.grad_x", "g = widened(grad)", "g = grad"),
    ),
    # gradients at NaN; attention that is scaled in another order
    *_seeded_in(
        "ops/activations.py", "ops/test_edges.py",
        Fault("Elu.grad_x", "where(x > 0, grad, grad * slope)", "where(x <= 0, grad * slope, grad)", "nan"),
    ),
    *_seeded_in(
        "ops/attention.py", "ops/test_attention.py",
        Fault("_scores", "if is_half(query)", "if True", "equal_scores"),
        Fault("_scores", "if is_half(query)", "if False", "float16"),
    ),
    # states, settings and values in place of others
    *_seeded_in(
        "compile/plan.py", "compile/test_rewound.py",
        Fault("Plan.is_for", "self.whole is whole and ", "", "state"),
        Fault("Plan.values", "self.edits != edits", "False", "rate"),
        Fault("Plan.is_for", " and self.homes.unmoved()", "", "values_and_types"),
    ),
    *_seeded_in(
        "optim/arrangement.py", "compile/test_rewound.py",
        Fault("Arrangement._same_groups", "return all(", "return True or all(", "rate"),
        Fault("Arrangement._see", "stretch.group = groups[stretch.place]", "pass", "rate"),
        Fault("Arrangement.portable", "self.counts.update(", "dict(", "state"),
    ),
    *_seeded_in(
        "optim/state.py", "compile/test_rewound.py optim/test_state.py",
        Fault("_entry", "memory[name].clone()", "memory[name]"),
    ),
    # what passes join, reorder, narrow or share
    *_seeded_in(
        "compile/passes.py", "compile/test_ranges.py",
        Fault("_is_normal", "limits.bits >= 32 and ", "", "factors or down or up"),
        Fault("_is_normal", "limits.tiny <= abs(number) <=", "abs(number) <=", "factors"),
        Fault("_is_normal", "abs(number) <= limits.max", "abs(number)", "factors"),
        Fault("_as_number", "(each.shape, each.dtype) == (node.shape, node.dtype)", "each.shape == node.shape", "counts"),
    ),
    *_seeded_in(
        "compile/fusion.py", "compile/test_ranges.py",
        Fault("dot", " or is_half(x)", "", "many or squares"),
        Fault("_fits", "<= finfo(x.dtype).max", "> 0"),
        Fault("_scaled_product", "return fusion, (pair[1], cast(\"Source\", v), pair[0])", "return fusion, (cast(\"Source\", v), pair[1], pair[0])", "product"),
    ),
    *_seeded_in(
        "compile/writing.py", "compile/test_ranges.py",
        Fault("Writing.operand", "of.itemsize < 4", "of.itemsize < 2", "divisor or factor"),
    ),
    *_seeded_in(
        "compile/program.py", "compile/test_own_ops.py",
        Fault("is_pure", "not is_foreign(op) if", "True if"),
        Fault("is_pure", "else op.pure", "else False"),
    ),
    *_seeded_in(
        "compile/passes.py", "compile/test_own_ops.py",
        Fault("_is_constant", "is_pure(node.op) and ", "", "constant"),
        Fault("shared", "if not is_pure(node.op)", "if False", "each_use"),
    ),
    # walks and steps that are interrupted; values that are written to
    *_seeded_in(
        "graph/guards.py", "graph/test_guards.py",
        Fault("OneAtATime._enters", "if _is_running(last)", "if True", "walk"),
        Fault("OneAtATime._enters", "if _is_running(last)", "if False", "walk"),
        Fault("_is_running", "each = each.f_back", "each = None", "walk"),
        Fault("Uninterrupted.__exit__", "self._handler(*self._came)", "pass", "ctrl_c"),
    ),
    *_seeded_in(
        "optim/base.py", "graph/test_guards.py",
        Fault("Optimizer.step", "with Uninterrupted()", "if True", "whole and walked"),
    ),
    *_seeded_in(
        "compile/training.py", "graph/test_guards.py",
        Fault("Step._run", "with Uninterrupted()", "if True", "whole and compiled"),
        Fault("Step._run", "stretch.undo(mark)", "pass", "whole and compiled"),
    ),
    *_seeded_in(
        "graph/passes.py", "graph/test_passes_state.py",
        Fault("refuse_stale", "if versions.writes and", "if False and", "written"),
        Fault("_refuse_written", " and node.top.untyped_storage().data_ptr() not in homes", "", "view"),
        Fault("hand", "node.grad + grad", "node.grad.add_(grad)", "handed"),
    ),
    # names; modules in circles
    *_seeded_in(
        "graph/naming.py", "layers/test_names.py",
        Fault("Scopes.claim", "path if mine else _numbered(", "path if True else _numbered("),
        Fault("Scopes._read", "outermost.names.setdefault(parameter, _joined(claimed, own))", "outermost.names[parameter] = _joined(claimed, own)"),
        Fault("Scopes.root", "\"\" if first else self.claim(name, owner)", "\"\""),
    ),
    *_seeded_in(
        "layers/module.py", "layers/test_names.py",
        Fault("Module._path_in", "scope.ways.to(self) or [(default, self)]", "[(default, self)]"),
    ),
    *_seeded_in(
        "layers/tree.py", "layers/test_circles.py",
        Fault("_reaching_circles", "return children.keys() - set(ends)", "return set()", "circle"),
        Fault("_first_names", "if module not in children", "if True", "circle"),
    ),
    *_seeded_in(
        "layers/tree.py", "layers/test_names.py",
        Fault("Ways.to", "if way is None and", "if False and"),
        Fault("Ways._way", "or holder._child(name) is not module", ""),
    ),
    # rates of groups
    *_seeded_in(
        "schedules/groups.py", "optim/test_set_lr.py",
        Fault("set_lr", "rate * ratio", "rate"),
        Fault("ratios", "group.setdefault(\"initial_lr\", group[\"lr\"])", "group[\"lr\"]"),
    ),
    *_seeded_in(
        "train/run.py", "optim/test_set_lr.py",
        Fault("Run._finish_epoch", "set_lr(self.optimizer, self.settings.schedule.step(followed))", "self.optimizer.lr = self.settings.schedule.step(followed)", "fit"),
    ),
    # means over batches
    *_seeded_in(
        "train/evaluation.py", "train/test_means.py",
        Fault("_Means.add", "else loss * count", "else loss * max(counts)", "evaluation or several"),
    ),
    *_seeded_in(
        "train/means.py", "train/test_means.py",
        Fault("Counts.counted", "else each.sum()", "else len(batch)"),
        Fault("Counts.weight", "sum(batch.counts[0] for batch in batches)", "sum(map(len, batches))"),
        Fault("shares", "count / total if total", "1 / len(batches) if total"),
        Fault("_unequal", "bool(counts[0] != 0) and ", ""),
    ),
    *_seeded_in(
        "train/run.py", "train/test_means.py",
        Fault("Run._one_step", "except NO_UPDATE as", "except NO_UPDATE[0] as", "skipped"),
    ),
    # what remembers starts anew
    *_seeded_in(
        "train/run.py", "train/test_callbacks.py",
        Fault("Run.reset", "callback.reset()", "pass"),
        Fault("Run.reset", "self.settings.schedule.reset()", "pass", "plateau"),
    ),
    *_seeded_in(
        "train/callbacks.py", "train/test_callbacks.py",
        Fault("EarlyStopping.reset", "self.waiting = 0", "self.waiting = getattr(self, \"waiting\", 0)", "anew"),
        Fault("EarlyStopping.reset", "super().reset()", "pass", "anew"),
        Fault("DeadLayers.reset", "= set()", "= getattr(self, \"_warned\", set())", "dead"),
    ),
    # a checkpoint holds all that is learned, and is of this training only
    *_seeded_in(
        "train/capture.py", "train/test_identity.py",
        Fault("_beside", "if each not in known", "if False", "loss_learns"),
        Fault("restore", "load_state(_beside(run), state[\"beside\"], strict=True)", "pass", "loss_learns"),
        Fault("_check_schedule", "if not isclose(", "if False and isclose(", "refused and schedule"),
        Fault("identify", "if run.identity is None", "if True", "cell"),
    ),
    *_seeded_in(
        "train/identity.py", "train/test_identity.py",
        Fault("_settings", "\"clip\": way.clip,", "", "refused"),
        Fault("_settings", "\"seed\": settings.seed,", "", "refused"),
        Fault("_line", "node.op.options.items()", "()", "refused"),
        Fault("_values", "digest_of_tensors(run.data.tensors)", "\"\"", "refused"),
        Fault("_values", "if parameter.is_buffer and parameter not in written", "if False", "refused"),
        Fault("optimizer_settings", "group.get(\"initial_lr\", group[\"lr\"])", "group[\"lr\"]"),
        Fault("optimizer_settings", "for place, group in enumerate(groups)", "for place, group in enumerate(groups[-1:])", "refused"),
        Fault("_callback_settings", "settings_of(callback).items()", "()", "refused"),
    ),
]
"""Wrong programs: each stands for a kind of fault that graphnet once had."""

FAULTS = [*OPERATIONS, *PACKAGE]
SHORT = [OPERATIONS[0], OPERATIONS[49], PACKAGE[0]]
