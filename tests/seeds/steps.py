"""Walks and steps: gradients, modes, precision, interrupts, overwritten values."""

from __future__ import annotations

from seeds.fault import Fault, seeded_in

STEPS = [
    # a gradient is used once, and a missing one is no gradient
    *seeded_in(
        "optim/base.py",
        "optim/test_used_once.py",
        Fault("Optimizer.prepared", "if each.fresh}", "if each.grad is not None}"),
    ),
    *seeded_in(
        "graph/parameter.py",
        "optim/test_used_once.py",
        Fault("Parameter.receive", "if self.fresh else", "if self.has_grad else", "not_added_to"),
    ),
    *seeded_in(
        "optim/buckets.py",
        "optim/test_used_once.py",
        Fault("Bucket.stepped", "= True, False", "= True, True"),
    ),
    *seeded_in(
        "graph/parameter.py",
        "graph/test_parameter_threads.py",
        Fault("Parameter.receive", "with self.arena.lock", "if True", "not_lost"),
    ),
    *seeded_in(
        "graph/walks.py",
        "optim/test_used_once.py",
        Fault(
            "BackwardPass._commit",
            "parameter.grad = None",
            "parameter.receive(parameter.top * 0)",
            "head",
        ),
    ),
    *seeded_in(
        "compile/run/cached_step.py",
        "optim/test_used_once.py",
        Fault("ParameterRoles.given", "each.fresh and", "each.grad is not None and", "head"),
        Fault(
            "ParameterRoles.__init__",
            "each.requires_grad and each in found",
            "each.requires_grad",
            "head",
        ),
    ),
    *seeded_in(
        "compile/run/step.py",
        "optim/test_used_once.py",
        Fault("Step._prepared", "if not each.fresh:", "if False:", "not_added_to"),
        Fault("Step._done", "parameter.grad = None", "pass", "refused_step"),
    ),
    *seeded_in(
        "optim/clipping.py",
        "optim/test_used_once.py",
        Fault("_learned", "if each.fresh] or learned", "if True]", "clipping"),
    ),
    *seeded_in(
        "train/updates.py",
        "train/test_fit.py train/test_means.py",
        Fault("_Compiled.__call__", "self.optimizer.zero_grad()", "pass"),
    ),
    # the mode of another module
    *seeded_in(
        "graph/naming.py",
        "graph/test_modes.py",
        Fault("Scopes.leader", "scope.held or ", "True or "),
        Fault("Scopes.leader", "return scope.owner", "return self._stack[1].owner"),
    ),
    *seeded_in(
        "graph/nodelist.py",
        "graph/test_modes.py",
        Fault("NodeList.modes", "[owner.training for", "[self.training for"),
        Fault("NodeList.evaluating", "owner.training = mode", "owner.training = True"),
    ),
    *seeded_in(
        "graph/nodes.py",
        "graph/test_modes.py",
        Fault("as_argument", " and not isinstance(source, Mode)", ""),
    ),
    *seeded_in(
        "train/run.py",
        "graph/test_modes.py",
        Fault("Run.train", "if not self.task.model.training:", "if True:"),
        Fault("Run.train", "if not self.task.model.training:", "if False:"),
    ),
    # counts and sums in half precision
    *seeded_in(
        "ops/dtypes.py",
        "ops/test_short_types.py",
        Fault("is_half", "< 4", "< 2"),
    ),
    *seeded_in(
        "ops/reductions.py",
        "ops/test_short_types.py compile/test_ranges.py",
        Fault("Var.grad_x", "self.divisor(twice)", "self.divisor(x)", "var"),
    ),
    *seeded_in(
        "ops/mean_pooling.py",
        "ops/test_short_types.py",
        Fault("pixels_in", "widened(x.new_empty(0))", "x.new_empty(0)"),
    ),
    *seeded_in(
        "ops/softmaxes.py",
        "ops/test_short_types.py",
        Fault("LogSoftmax.grad_x", "g = widened(grad)", "g = grad"),
    ),
    # gradients at NaN; attention that is scaled in another order
    *seeded_in(
        "ops/activations.py",
        "ops/test_edges.py",
        Fault(
            "Elu.grad_x",
            "where(x > 0, grad, grad * slope)",
            "where(x <= 0, grad * slope, grad)",
            "nan",
        ),
    ),
    # choices by the bits of numbers
    *seeded_in(
        "ops/branchless.py",
        "ops/test_branchless.py",
        Fault("chosen", "mul(condition.logical_not())", "mul(condition)"),
        Fault("chosen", "or y.requires_grad", "", "records"),
        Fault("_integers", "or x.requires_grad", "", "records"),
        Fault("is_zero", "and copysign(1, value) > 0", "", "bits"),
    ),
    *seeded_in(
        "ops/attention.py",
        "ops/test_attention.py",
        Fault("_scores", "if is_half(query)", "if True", "equal_scores"),
        Fault("_scores", "if is_half(query)", "if False", "float16"),
    ),
    # interrupted walks and steps; overwritten values
    *seeded_in(
        "graph/guards.py",
        "graph/test_guards.py",
        Fault("Exclusive._follows", "if _is_running(last)", "if True", "walk"),
        Fault("Exclusive._follows", "if _is_running(last)", "if False", "walk"),
        Fault("_is_running", "each = each.f_back", "each = None", "walk"),
        Fault("Uninterrupted.__exit__", "self._handler(*self._received)", "pass", "ctrl_c"),
    ),
    *seeded_in(
        "optim/base.py",
        "graph/test_guards.py",
        Fault("Optimizer.step", "with Uninterrupted()", "if True", "whole and walked"),
    ),
    *seeded_in(
        "compile/run/step.py",
        "graph/test_guards.py",
        Fault("Step._run", "with self._uninterrupted", "if True", "whole and compiled"),
        Fault("Step._run", "bucket.undo(mark)", "pass", "whole and compiled"),
    ),
    *seeded_in(
        "graph/walks.py",
        "graph/test_walks_state.py",
        Fault("refuse_stale", "if versions.writes and", "if False and", "written"),
        Fault(
            "_refuse_written",
            " and node.top.untyped_storage().data_ptr() not in arenas",
            "",
            "view",
        ),
        Fault(
            "BackwardPass.walk",
            "sums[target] + seed if target in sums else seed",
            "sums[target].add_(seed) if target in sums else seed",
            "written",
        ),
    ),
    *seeded_in(
        "graph/walks.py",
        "graph/test_walks.py",
        Fault(
            "BackwardPass.walk",
            "sums[source] + grad if source in sums else grad",
            "sums[source].add_(grad) if source in sums else grad",
            "diamond",
        ),
    ),
]
