"""Compiled programs: what was replaced meanwhile, and what passes join, reorder or share."""

from __future__ import annotations

from seeds.fault import Fault, seeded_in

PROGRAMS = [
    # states, settings and values in place of others
    *seeded_in(
        "compile/run/cached_step.py",
        "compile/test_rewound.py",
        Fault("CachedStep.is_for", "self.whole is whole and ", "", "state"),
        Fault("CachedStep.is_for", " and self.guard.holds()", "", "no_business"),
    ),
    *seeded_in(
        "compile/run/cached_step.py",
        "compile/test_settings.py",
        Fault("CachedStep.values", "self.edits != edits", "False", "edited"),
    ),
    *seeded_in(
        "optim/buckets.py",
        "compile/test_rewound.py",
        Fault("Bucketing._same_groups", "return all(", "return True or all(", "rate"),
        Fault("Bucketing._see", "bucket.group = groups[bucket.place]", "pass", "rate"),
        Fault("Bucketing.portable", "self.counts.update(", "dict(", "state"),
    ),
    *seeded_in(
        "optim/state.py",
        "compile/test_rewound.py optim/test_state.py",
        Fault("_entry", "memory[name].clone()", "memory[name]"),
    ),
    # what passes join, reorder, narrow or share
    *seeded_in(
        "compile/passes/fold_constants.py",
        "compile/test_ranges.py",
        Fault("_is_normal", "limits.bits >= 32 and ", "", "chains"),
        Fault("_is_normal", "limits.tiny <= abs(number) <=", "abs(number) <=", "factors"),
        Fault("_is_normal", "abs(number) <= limits.max", "abs(number)", "factors"),
        Fault(
            "_as_number",
            "(each.shape, each.dtype) == (node.shape, node.dtype)",
            "each.shape == node.shape",
            "counts",
        ),
    ),
    *seeded_in(
        "compile/targets/torch/fused_ops.py",
        "compile/test_ranges.py",
        Fault("Dot.fits", " and not is_half(x)", "", "many or squares"),
    ),
    *seeded_in(
        "compile/targets/torch/fused_sums.py",
        "compile/test_ranges.py",
        Fault("in_range", "<= finfo(x.dtype).max", "> 0"),
    ),
    *seeded_in(
        "ops/scaled.py",
        "compile/test_ranges.py",
        Fault("addcmul", "(a * u) * v", "a * (u * v)", "small"),
    ),
    *seeded_in(
        "compile/targets/torch/fuse.py",
        "compile/test_fuse.py compile/test_fuse_pattern.py",
        Fault("Pattern._with", "sources[::-1]", "sources", "order or pairs"),
        Fault("Pattern._one", "not self.kind.read_once or ", "True or ", "others_read"),
        Fault("Pattern._completed", ".shape != source.shape", " is None", "shape_only"),
        Fault("_minus", "-factor.top", "factor.top", "less or pairs"),
    ),
    *seeded_in(
        "compile/targets/torch/select.py",
        "compile/test_ranges.py",
        Fault("dtype_beside", "itemsize >= 4", "itemsize >= 2", "divisor or factor"),
    ),
    *seeded_in(
        "compile/targets/torch/select.py",
        "compile/test_numbers_beside.py",
        Fault("dtype_beside", "if each is not torch.bool", ""),
        Fault("dtype_beside", "if limits.min <= value <= limits.max else None", "", "formulas"),
    ),
    # what is read under a condition
    *seeded_in(
        "compile/targets/c/expressions.py",
        "compile/targets/c/test_loops.py",
        Fault("CExpressions.is_local", " or id(scalar) in self._chosen", "", "choices"),
    ),
    # where values lie, and for how long
    *seeded_in(
        "compile/plan/slots.py",
        "compile/test_plan.py",
        Fault("_view", "slot.offset + ", "", "viewed_as"),
        Fault("_view", "raise NotAView from error", "return slot", "every_reshape"),
    ),
    *seeded_in(
        "compile/plan/liveness.py",
        "compile/test_plan.py",
        Fault("_extend", "waiting += each.behind", "pass", "made_tensor"),
    ),
    *seeded_in(
        "compile/plan/memory.py",
        "compile/test_plan.py",
        Fault("by_size", "begin <= last and first <= end", "begin < last and first < end"),
        Fault("by_size", "_up(stop, multiple)", "stop", "overlap"),
        Fault("in_turn", "range(now, first)", "range(now, first + 1)", "overlap"),
        Fault("in_turn", "while place < len(free) and free[place][1] % multiple", "while False"),
    ),
    *seeded_in(
        "compile/plan/overwrite.py",
        "compile/test_plan.py",
        Fault("Moves.add", "old.buffer.behind += (new.buffer,)", "pass", "behind or made_tensor"),
        Fault("_is_free", " or last[buffer] != place", "", "read_last"),
        Fault("_is_free", "not buffer.owned or ", "", "another_kind"),
        Fault("_is_free", "each == given for each", "True for each", "another_way"),
        Fault("overwrite", "last[given.buffer] = last[out.buffer]", "pass", "read"),
    ),
    *seeded_in(
        "op.py",
        "compile/test_own_ops.py ops/test_traits.py",
        Fault("Op.__init_subclass__", 'cls.__module__.startswith("graphnet.")', "True"),
        Fault("Op.__init_subclass__", 'if "pure" not in vars(cls)', "if True"),
        Fault("Op.__init_subclass__", "cls.structural or cls.view", "cls.structural"),
    ),
    *seeded_in(
        "compile/passes/fold_constants.py",
        "compile/test_own_ops.py",
        Fault("_is_constant", "node.op.pure and ", "", "constant"),
    ),
    *seeded_in(
        "compile/passes/cse.py",
        "compile/test_own_ops.py",
        Fault("cse", "if not node.op.pure", "if False", "each_use"),
    ),
    *seeded_in(
        "ops/random.py",
        "compile/test_layers.py compile/test_programs.py",
        Fault("DropoutMask", "pure = False", "pure = True"),
    ),
    *seeded_in(
        "compile/targets/torch/assemble.py",
        "compile/test_own_ops.py",
        Fault("_depends_on_runs", "not op.pure", "False", "each_use"),
    ),
    *seeded_in(
        "compile/targets/torch/execution.py",
        "compile/test_errors.py",
        Fault(
            "function_of",
            "finalize(function, _ended.append, file)",
            "pass",
            "forgotten",
        ),
    ),
]
