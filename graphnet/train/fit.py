"""Training in one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from math import inf
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator

from graphnet.errors import GraphError, RangeError, require_count
from graphnet.optim import Optimizer
from graphnet.optim.clipping import limit_of
from graphnet.schedules import Plateau
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
    callbacks: Callback | Iterable[Callback] = (),
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
        callbacks: what else looks at the training, one or several. `Checkpoints` among them say
            where and how often states are kept.
        compile: True to train by a compiled program; "tune" to measure which kernels are fastest
            here, which may change the last bits from run to run; False to walk the list.
        seed: a number that makes the training repeatable: of `torch.manual_seed`, and of the order
            of the rows; or a generator for the order alone.
        non_finite: what happens where a loss is NaN or infinite: "stop" raises an error that names
            the first such node, "skip" leaves out the update, "ignore" goes on. Gradients whose
            norm is not finite cannot be clipped: only "skip" goes on there.
        directory: a folder for checkpoints, epochs.csv and steps.jsonl; None to keep nothing.
        resume: True to go on from the newest checkpoint, if there is one; False to begin anew.
        progress: True for a progress bar, False for none, None for one on terminals only.

    Raises:
        FeedError: the data are not of that form.
        ShapeError: sizes do not fit together.
        GraphError: the losses do not fit the outputs, a callback follows an unknown number, or an
            argument is of another kind.
        RangeError: a number or a policy is out of its range.
        NonFiniteError: the loss is NaN or infinite; no update was made from it.
        LoadError: the directory holds another training, or none that is whole.
        SystemExit: Ctrl-C (code 130) or SIGTERM (143) came; the step was finished and, where there
            is a directory, kept. At a prompt or in a notebook, Ctrl-C is a KeyboardInterrupt.

    >>> import graphnet as gn
    >>> points, labels = gn.data.disk(200, torch.Generator().manual_seed(0))
    >>> model = gn.Sequential(gn.Linear(2, 16), gn.Tanh(), gn.Linear(16, 2))
    >>> adam = gn.Adam(model.parameters(), lr=0.05)
    >>> history = fit(model, gn.LossCrossEntropy(), (points, labels), adam, epochs=30, seed=0)
    >>> history["loss"][-1] < history["loss"][0]
    True
    """
    require_count(epochs=epochs, batch_size=batch_size, accumulate=accumulate)
    if non_finite not in POLICIES:
        raise RangeError(f"non_finite is one of {', '.join(POLICIES)}; {non_finite!r} came.")
    if compile not in (True, False, "tune"):
        raise RangeError(f"compile is True, False or 'tune'; {compile!r} came.")
    if not isinstance(schedule, Plateau):
        _require_function("schedule", schedule, "gn.schedules.cosine(0.1, steps=100)")
    _require_function("augment", augment, "lambda x, t, generator: (x.flip(-1), t)")
    if validation is None and metrics:
        raise GraphError("metrics are measured on the validation data; give `validation`, too.")
    limits = _limit("clip", clip), _limit("clip_value", clip_value)
    watching = [DeadLayers(), Progress(progress), *_callbacks(callbacks)]
    given = DataSet(data)
    task = Task(model, loss, given)
    _require_parameters_of(task, optimizer)
    way = Way(compile, *limits, check_finite=non_finite != "ignore")
    settings = Settings(epochs, batch_size, accumulate, way, non_finite, schedule, augment)
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
    if seed is None:
        return Generator().manual_seed(int(torch.randint(2**62, ())))
    try:
        torch.manual_seed(index(seed))
        return Generator().manual_seed(index(seed))
    except (TypeError, ValueError):  # torch's for a number that is too large
        raise RangeError(
            f"seed is a whole number of at most 64 bits, a torch.Generator, or None; {seed!r} came."
        ) from None


def _limit(name: str, value: float | None) -> float | None:
    """The limit of gradients; None where there is none."""
    return None if value is None or limit_of(name, value) == inf else value


def _callbacks(given: Callback | Iterable[Callback]) -> list[Callback]:
    listed = list(given) if isinstance(given, Iterable) else [given]
    for each in listed:
        if not isinstance(each, Callback):
            raise GraphError(
                "A callback is an object such as gn.EarlyStopping(), of a class that is derived "
                f"from gn.Callback; {each!r} came."
            )
    return listed


def _require_function(name: str, value: Any, example: str) -> None:
    if value is not None and not callable(value):
        raise GraphError(f"{name} is a function, such as {example}, or None; {value!r} came.")


def _require_parameters_of(task: Task, optimizer: Optimizer) -> None:
    if not isinstance(optimizer, Optimizer):
        raise GraphError(
            f"optimizer is one of graphnet, such as gn.Adam(model.parameters()); {optimizer!r} "
            "came."
        )
    known: Sequence[Any] = task.graph.parameters()
    if not any(parameter in known for parameter in optimizer.parameters):
        raise GraphError(
            "The optimizer updates parameters of another model: none of them is in this one. "
            "Make it with model.parameters()."
        )
