"""Training in one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from math import inf
from operator import index
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator

from graphnet.data.splits import Split
from graphnet.errors import FeedError, GraphError, RangeError
from graphnet.optim.clipping import limit_of
from graphnet.train.across import Across, group_of
from graphnet.train.callbacks import Callback, DeadLayers
from graphnet.train.capture import identify
from graphnet.train.checkpoints import Checkpoints
from graphnet.train.examples import example_of, no_batch
from graphnet.train.items import Items
from graphnet.train.logs import CSVLog, JSONLog, Progress
from graphnet.train.run import Run
from graphnet.train.settings import Augment, FitSettings, Schedule
from graphnet.train.sources import source_of
from graphnet.train.streams import Stream
from graphnet.train.training_graph import Losses, TrainingGraph, require_learnable
from graphnet.validation import must_be, require_flags

if TYPE_CHECKING:
    from graphnet.distributed import Group
    from graphnet.layers import Module
    from graphnet.optim import Optimizer
    from graphnet.schedules import Plateau
    from graphnet.train.dataset import Transform
    from graphnet.train.evaluation import Metrics
    from graphnet.train.history import History
    from graphnet.train.sources import Source


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
    drop_last: bool = False,
    shuffle: bool = True,
    validation_split: float | Split = 0.0,
    train_metrics: bool = False,
    steps_per_epoch: int | None = None,
    transform: Transform | None = None,
    workers: int = 0,
    prefetch: int | None = None,
    directory: str | PathLike[str] | None = None,
    resume: bool = True,
    progress: bool | None = None,
    across: bool | Group = False,
    sync: bool = True,
) -> History:
    """Train a model on data, and return what happened.

    Args:
        model: a module; its parameters are changed.
        loss: of its output and the targets; for a model of several outputs a list with an entry
            for each: a loss, a pair (weight, loss), or None for an output without a target.
        data: the pair (inputs, targets), each a tensor, an array of numpy, a frame, or a tuple of
            these, with a row for each example. If the targets are omitted, as in a single tensor
            or (inputs, None), they are the inputs, which trains an autoencoder. Or a data set whose
            items are such pairs; or a DataLoader, an iterable, or a function that returns an
            iterable, of batches. `data.columns` and `data.ImageFolder` make some of these.
        optimizer: over the parameters of the model.
        epochs: how often all rows are seen, counting the epochs before a resume.
        batch_size: rows in a batch; the last one of an epoch takes the rest. A DataLoader or an
            iterable has batches of its own.
        validation: data of the same form, measured after each epoch and not learned from.
        metrics: functions of all outputs and targets, or a dict of them by name, for the validation
            data; without these, for the training data. See `evaluate`.
        schedule: the learning rate as a function of the update, from 0, such as those of
            `schedules`; or a `schedules.Plateau`, which follows the validation loss. Parameter
            groups keep the ratio of their rates: see `schedules.set_lr`.
        accumulate: batches for each update, whose gradient is that of one batch of all their rows.
        clip: the largest common norm of the gradients.
        clip_value: the largest element of a gradient.
        augment: changes each batch before it is learned from: a function of inputs, targets and a
            generator that returns inputs and targets. The first call, before training, tells
            their shapes and dtypes.
        callbacks: what else observes the training, one or several. `Checkpoints` among them set
            where and how often states are saved.
        compile: True to train with a compiled program, as native code where that pays; "torch" or
            "c" to fix its form, see `docs/native.md`; "tune" to measure which kernels are fastest
            here, which may change the last bits from run to run; False to walk the list.
        seed: a number that makes the training repeatable, for `torch.manual_seed` and for the order
            of the rows; or a generator for the order alone.
        non_finite: what happens if a loss is NaN or infinite: "stop" raises an error that names the
            first such node, "skip" leaves out the update, "ignore" goes on. Gradients whose norm is
            not finite cannot be clipped, and there is no mean if all labels are ignored: only
            "skip" goes on then.
        drop_last: True to leave out a last batch that is not full.
        shuffle: False to take the rows in order. A DataLoader or an iterable has its own.
        validation_split: the fraction of the rows, the last ones before any shuffling, to use as
            validation data, instead of `validation`; a `data.Split` draws them.
        train_metrics: True to also measure the metrics on the training rows, in evaluation mode
            after each epoch.
        steps_per_epoch: updates after which an epoch ends; None for all rows. An iterable goes on
            in the next epoch, and begins anew at its end.
        transform: changes the inputs of each batch, of validation data too, before `augment`: a
            function of a tensor, or of a tuple of them, such as `lambda x: x.float() / 255`.
        workers: processes that read the items of a data set ahead.
        prefetch: batches that a thread reads ahead; None for 2 from a memory map or from workers,
            else 0: code that draws from torch's global random numbers should not run in it.
        directory: a folder for checkpoints, epochs.csv and steps.jsonl; None to keep nothing.
        resume: True to go on from the newest checkpoint, if there is one; False to start anew.
        progress: True for a progress bar, False for none, None for one only on terminals.
        across: True to train with all processes that torchrun, or another launcher, has started:
            each takes its rows of every batch, and `batch_size` is that of all of them together.
            Also the group of processes, `distributed.join(timeout=60)`.
        sync: of several processes, False to let each batch norm take its statistics from the rows
            of one process, not of all.

    Raises:
        FeedError: the data are not of that form.
        ShapeError: sizes do not fit together.
        GraphError: the losses do not fit the outputs, a callback monitors an unknown number, an
            argument has another type, nothing can be learned, or a parameter of the list would
            never be.
        RangeError: a number or a policy is out of its range.
        NonFiniteError: the loss is NaN or infinite; no update was made from it.
        EmptyBatchError: nothing counts in a batch, for instance because all labels are ignored.
        LoadError: the directory holds another training run, or no intact one.
        ProcessError: another process has ended, does not come, or trains something else.
        SystemExit: on Ctrl-C (code 130) or SIGTERM (143), once the step is finished and, if there
            is a directory, saved. At a prompt or in a notebook, Ctrl-C is a KeyboardInterrupt.

    >>> import graphnet as gn
    >>> points, labels = gn.data.disk(200, torch.Generator().manual_seed(0))
    >>> model = gn.Sequential(gn.Linear(2, 16), gn.Tanh(), gn.Linear(16, 2))
    >>> adam = gn.Adam(model.parameters(), lr=0.05)
    >>> history = fit(model, gn.LossCrossEntropy(), (points, labels), adam, epochs=30, seed=0)
    >>> history["loss"][-1] < history["loss"][0]
    True
    """
    require_flags(train_metrics=train_metrics, resume=resume, sync=sync)
    group = group_of(across)
    several = None if group is None else Across(group, sync)
    clip, clip_value = _limit("clip", clip), _limit("clip_value", clip_value)
    rest = non_finite, schedule, augment, drop_last, shuffle, None, steps_per_epoch, prefetch
    settings = FitSettings(epochs, batch_size, accumulate, compile, clip, clip_value, *rest)
    watching = [DeadLayers(), Progress(progress), *_callbacks(callbacks)]
    if directory is not None:
        watching += _keeping(directory, watching)
    reading = {"transform": transform, "workers": workers}
    given, held = _parts(data, validation, validation_split, batch_size, drop_last, reading)
    _require_batches(given, settings)
    source, kept = _generator(seed)  # before a loader draws the order of the first epoch
    if several is not None:
        several.meet(source)
    with nullcontext() if several is None else several.reading():
        example = example_of(given, settings)
    with nullcontext() if several is None else several.synchronized():
        task = TrainingGraph(model, loss, example)
    require_learnable(task, loss, optimizer)
    with torch.no_grad() if torch.is_grad_enabled() else nullcontext():
        run = Run(task, optimizer, given, replace(settings, seed=kept), source, watching, several)
        run.measure(held, metrics, train_metrics)
        run.reset()
        if several is not None:
            several.begin(run)
        keeping = [callback for callback in watching if isinstance(callback, Checkpoints)]
        if keeping:
            identify(run)
        any(resume and callback.resume(run) for callback in keeping)
        return run.train()


def _parts(
    data: Any,
    validation: Any,
    split: float | Split,
    batch_size: int,
    drop_last: bool,
    reading: Mapping[str, Any],
) -> tuple[Source, Source | None]:
    """The data to learn from, and the data to measure only."""
    given = source_of(data, batch_size=batch_size, drop_last=drop_last, **reading)
    if validation is None and not split and split is not False:
        return given, None
    if validation is None:
        if isinstance(given, Stream):
            raise GraphError(
                "validation_split divides rows, which a loader or an iterable has none of: divide "
                "the data before, and pass the other part as validation."
            )
        return given.split(split if isinstance(split, Split) else Split(split))
    if split:
        raise GraphError("validation and validation_split do the same: give only one of them.")
    reading = {**reading, "batch_size": max(1000, batch_size), "workers": 0}
    held = source_of(validation, "validation", **reading)
    if isinstance(held, Items) and isinstance(given, Items):
        held.workers = given.workers
    return given, held


def _require_batches(data: Source, settings: FitSettings) -> None:
    batch_size, count = settings.batch_size, data.count
    if isinstance(data, Stream) and data.is_once and settings.steps_per_epoch is None:
        if settings.epochs > 1:
            raise FeedError(no_batch(data, 2))
    elif settings.drop_last and count is not None and count < batch_size:
        raise RangeError(
            f"drop_last=True leaves nothing: batch_size={batch_size} is more than the {count} "
            "rows of the data."
        )


def _keeping(directory: Any, watching: Sequence[Callback]) -> list[Callback]:
    """The callbacks that save a training run in a directory; checkpoints come last."""
    if not isinstance(directory, str | PathLike):
        raise GraphError(must_be("directory", 'a path, such as "run", or None', directory))
    path = Path(directory)
    kept: list[Callback] = [CSVLog(path / "epochs.csv"), JSONLog(path / "steps.jsonl")]
    if any(isinstance(each, Checkpoints) for each in watching):
        return kept  # the user has already said how often, and where
    return [*kept, Checkpoints(path / "checkpoints")]


def _generator(seed: int | Generator | None) -> tuple[Generator, int | str | None]:
    """The source of the order of the rows, and what is kept of the seed to recognize it."""
    if isinstance(seed, Generator):
        return seed, f"a generator of seed {seed.initial_seed()}"
    if seed is None:
        return Generator().manual_seed(int(torch.randint(2**62, ()))), None
    try:
        torch.manual_seed(index(seed))
        return Generator().manual_seed(index(seed)), index(seed)
    except (TypeError, ValueError, RuntimeError):  # torch raises it for too large a number
        rule = "an integer of at most 64 bits, a torch.Generator, or None"
        raise RangeError(must_be("seed", rule, seed)) from None


def _limit(name: str, value: Any) -> float | None:
    """The limit of gradients as a number; None if there is none."""
    limit = None if value is None else limit_of(name, value)
    return None if limit == inf else limit


def _callbacks(given: Callback | Iterable[Callback]) -> list[Callback]:
    listed = list(given) if isinstance(given, Iterable) else [given]
    for each in listed:
        if not isinstance(each, Callback):
            rule = "an object such as gn.EarlyStopping(), of a subclass of gn.Callback"
            raise GraphError(must_be("a callback", rule, each))
    return listed
