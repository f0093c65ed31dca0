"""Training: rates of groups, means over batches, callbacks, checkpoints."""

from __future__ import annotations

from seeds.fault import Fault, seeded_in

TRAININGS = [
    # rates of groups
    *seeded_in(
        "schedules/groups.py",
        "optim/test_set_lr.py",
        Fault("set_lr", "rate * ratio", "rate"),
        Fault("ratios", 'group.get("initial_lr", group["lr"])', 'group["lr"]'),
    ),
    *seeded_in(
        "train/run.py",
        "optim/test_set_lr.py",
        Fault(
            "Run._finish_epoch",
            "set_lr(self.optimizer, self.settings.schedule.step(followed))",
            "self.optimizer.lr = self.settings.schedule.step(followed)",
            "fit",
        ),
    ),
    # means over batches
    *seeded_in(
        "train/live.py",
        "train/test_live.py",
        Fault("gradient_flow", "generators_of(graph)", "()", "same_numbers"),
        Fault("gradient_flow", "parameter.fresh = fresh", "pass", "same_numbers"),
        Fault("Live.epoch", "SHARE * self._cost", "0.0", "tenth"),
    ),
    *seeded_in(
        "train/means.py",
        "train/test_means.py",
        Fault("Means.add", "else loss * count", "else loss * max(counts)", "evaluation or several"),
        Fault("Counts.counted", "else each.sum()", "else len(batch)"),
        Fault("Counts.of", "sum(_whole(batch)[k] for batch", "sum(len(batch) for batch"),
        Fault("shares", "count / total if total", "1 / len(batches) if total"),
        Fault("_unequal", "bool(counts[0] != 0) and ", ""),
    ),
    *seeded_in(
        "train/run.py",
        "train/test_means.py",
        Fault("Run._one_step", "except NO_UPDATE as", "except NO_UPDATE[0] as", "skipped"),
    ),
    *seeded_in(
        "train/means.py",
        "train/test_means.py",
        Fault("Term.of", "_called(_as_module(loss)", "_called((loss)", "function"),
        Fault("_called", "if len(inner) == 1 else loss", "if False else loss", "calls"),
        Fault("Term.of", "None if summed else counted", "counted", "sum"),
    ),
    *seeded_in(
        "losses/classification.py",
        "train/test_means.py",
        Fault(
            "LossCrossEntropy.counted", "self.weight, self.ignore_index", "None, self.ignore_index"
        ),
        Fault("LossNLL.counted", "self.weight, self.ignore_index", "self.weight, -100", "nll"),
    ),
    # what is remembered starts anew
    *seeded_in(
        "train/run.py",
        "train/test_callbacks.py",
        Fault("Run.reset", "callback.reset()", "pass"),
        Fault("Run.reset", "self.settings.schedule.reset()", "pass", "plateau"),
    ),
    *seeded_in(
        "train/callbacks.py",
        "train/test_callbacks.py",
        Fault(
            "EarlyStopping.reset",
            "self.waiting = 0",
            'self.waiting = getattr(self, "waiting", 0)',
            "anew",
        ),
        Fault("EarlyStopping.reset", "super().reset()", "pass", "anew"),
        Fault("DeadLayers.reset", "= set()", '= getattr(self, "_warned", set())', "dead"),
    ),
    # a checkpoint holds everything that is learned, and belongs to this training run only
    *seeded_in(
        "train/capture.py",
        "train/test_capture_losses.py",
        Fault("_beside", "if each not in known", "if False"),
        Fault(
            "restore",
            'load_state(_beside(run), state["beside"], strict=True)',
            "pass",
        ),
    ),
    *seeded_in(
        "train/capture.py",
        "train/test_identity.py",
        Fault(
            "_set_random_states",
            'run.generator.set_state(states["order"])',
            "pass",
            "longer or kept",
        ),
        Fault(
            "_check_schedule", "if not isclose(", "if False and isclose(", "refused and schedule"
        ),
        Fault("identify", "if run.identity is None", "if True", "callback_changes"),
    ),
    *seeded_in(
        "train/identity.py",
        "train/test_identity.py",
        Fault("_settings", "_COMPARED_ELSEWHERE)", '{*_COMPARED_ELSEWHERE, "clip"})', "refused"),
        Fault("_settings", "_COMPARED_ELSEWHERE)", '{*_COMPARED_ELSEWHERE, "seed"})', "refused"),
        Fault("_line", "node.op.options.items()", "()", "refused"),
        Fault("_values", "run.data.digest()", '""', "refused"),
        Fault(
            "_values", "if parameter.is_buffer and parameter not in written", "if False", "refused"
        ),
        Fault(
            "optimizer_settings",
            'group.get("initial_lr", group["lr"])',
            'group["lr"]',
            "rate_under",
        ),
        Fault(
            "optimizer_settings",
            "for place, group in enumerate(groups)",
            "for place, group in enumerate(groups[-1:])",
            "refused",
        ),
        Fault("_callback_settings", "settings_of(callback).items()", "()", "refused"),
    ),
]
