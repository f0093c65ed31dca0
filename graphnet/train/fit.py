"""Training in one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator

from graphnet.errors import GraphError, RangeError
from graphnet.train.callbacks import Callback, DeadLayers
from graphnet.train.checkpoints import Checkpoints
from graphnet.train.dataset import DataSet
from graphnet.train.logs import CSVLog, JSONLog
from graphnet.train.progress import Progress
from graphnet.train.run import Augment, Run, Schedule, Settings
from graphnet.train.task import Losses, Task
from graphnet.train.updates import Way

if TYPE_CHECKING:
    from os import PathLike

    from graphnet.layers import Module
    from graphnet.optim import Optimizer
    from graphnet.schedules import Plateau
    from graphnet.train.evaluation import Metrics
    from graphnet.train.history import History

POLICIES = ("stop", "skip", "ignore")


def fit(
    model: Module,
    loss: Losses,
    data: Any,
    optimizer: Optimizer,
    *,
    epochs: int = 1,
    batch_size: int = 32,
    validation: Any = None,
    metrics: Metrics = (),
    schedule: Schedule | Plateau | None = None,
    accumulate: int = 1,
    clip: float | None = None,
    clip_value: float | None = None,
    augment: Augment | None = None,
    callbacks: Iterable[Callback] = (),
    compile: bool | str = True,
    seed: int | Generator | None = None,
    non_finite: str = "stop",
    directory: str | PathLike[str] | None = None,
    resume: bool = True,
    progress: bool | None = None,
) -> History:
    """Train a model on data, and return what happened.

    Args:
        model: a module; its parameters are changed.
        loss: of its output and the targets; for a model of several outputs a list with an entry
            for each: a loss, a pair (weight, loss), or None for an output without a target.
        data: the pair (inputs, targets), each a tensor or a tuple of tensors with a row for each
            example.
        optimizer: of the parameters of the model.
        epochs: how often all rows are seen, those of a training that is resumed included.
        batch_size: rows in a batch; the last one of an epoch takes what is left.
        validation: data of the same form, measured after each epoch and not learned from.
        metrics: functions of outputs and targets, or a dict of them by name, for those data.
        schedule: the learning rate as a function of the update, from 0, such as those of
            `schedules`; or a `schedules.Plateau`, which follows the validation loss.
        accumulate: batches for each update, of which each row counts the same.
        clip: the largest common norm of the gradients.
        clip_value: the largest element of a gradient.
        augment: changes each batch before it is learned from: a function of inputs, targets and a
            generator that returns inputs and targets.
        callbacks: what else looks at the training, see `Callback`. `Checkpoints` among them say
            where and how often states are kept.
        compile: True to train by a compiled program; "tune" to measure which kernels are fastest
            here, which may change the last bits from run to run; False to walk the list.
        seed: a number that makes the training repeatable: of `torch.manual_seed`, and of the order
            of the rows; or a generator for the order alone.
        non_finite: what happens where a loss is NaN or infinite: "stop" raises an error that names
            the first such node, "skip" leaves out the update, "ignore" goes on.
        directory: a folder for checkpoints, epochs.csv and steps.jsonl; None to keep nothing.
        resume: True to go on from the newest checkpoint, if there is one; False to begin anew.
        progress: True for a progress bar, False for none, None for one on terminals only.

    Raises:
        FeedError: the data are not of that form.
        ShapeError: sizes do not fit together.
        GraphError: the losses do not fit the outputs, or a callback follows an unknown number.
        RangeError: a number or a policy is out of its range.
        NonFiniteError: the loss is NaN or infinite; no update was made from it.
        LoadError: the directory holds another training, or none that is whole.
        SystemExit: Ctrl-C (code 130) or SIGTERM (143) came; the step was finished and, where there
            is a directory, kept.

    >>> import graphnet as gn
    >>> points, labels = gn.data.disk(200, torch.Generator().manual_seed(0))
    >>> model = gn.Sequential(gn.Linear(2, 16), gn.Tanh(), gn.Linear(16, 2))
    >>> adam = gn.Adam(model.parameters(), lr=0.05)
    >>> history = fit(model, gn.LossCrossEntropy(), (points, labels), adam, epochs=30, seed=0)
    >>> history["loss"][-1] < history["loss"][0]
    True
    """
    _require_counts(epochs=epochs, batch_size=batch_size, accumulate=accumulate)
    if non_finite not in POLICIES:
        raise RangeError(f"non_finite is one of {', '.join(POLICIES)}; {non_finite!r} came.")
    if compile not in (True, False, "tune"):
        raise RangeError(f"compile is True, False or 'tune'; {compile!r} came.")
    given = DataSet(data)
    task = Task(model, loss, given)
    _require_parameters_of(task, optimizer)
    way = Way(compile, clip, clip_value, check_finite=non_finite != "ignore")
    settings = Settings(epochs, batch_size, accumulate, way, non_finite, schedule, augment)
    watching = [DeadLayers(), Progress(progress), *callbacks]
    if directory is not None:
        watching += _keeping(Path(directory), watching)
    with torch.no_grad() if torch.is_grad_enabled() else nullcontext():
        run = Run(task, optimizer, given, settings, _generator(seed), watching)
        if validation is not None:
            run.validate_on(DataSet(validation, "validation"), metrics)
        for callback in watching:
            if resume and isinstance(callback, Checkpoints) and callback.resume(run):
                break
        return run.train()


def _keeping(directory: Path, watching: Sequence[Callback]) -> list[Callback]:
    """What keeps a training in a directory; checkpoints come last, when all else is done."""
    kept: list[Callback] = [CSVLog(directory / "epochs.csv"), JSONLog(directory / "steps.jsonl")]
    if any(isinstance(each, Checkpoints) for each in watching):
        return kept  # how often, and where, was said
    return [*kept, Checkpoints(directory / "checkpoints")]


def _generator(seed: int | Generator | None) -> Generator:
    """The source of the order of the rows."""
    if isinstance(seed, Generator):
        return seed
    if seed is not None:
        torch.manual_seed(seed)
        return Generator().manual_seed(seed)
    return Generator().manual_seed(int(torch.randint(2**62, ())))


def _require_counts(**counts: Any) -> None:
    for name, value in counts.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise RangeError(f"{name} is a whole number of 1 or more; {value!r} came.")


def _require_parameters_of(task: Task, optimizer: Optimizer) -> None:
    known: Sequence[Any] = task.graph.parameters()
    if not any(parameter in known for parameter in optimizer.parameters):
        raise GraphError(
            "The optimizer updates parameters of another model: none of them is in this one. "
            "Make it with model.parameters()."
        )
