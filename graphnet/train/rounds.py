"""Rounds: one experiment with several seeds, in parallel if there are workers."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from operator import index
from pathlib import Path
from typing import Any

import torch

from graphnet.errors import GraphError, counted
from graphnet.train.logs import progress_bar
from graphnet.train.rounds_files import KeptRounds
from graphnet.train.rounds_once import Once, inside_a_round, sourced
from graphnet.train.rounds_table import Failure, Round, Rounds
from graphnet.train.signals import exit_on_sigterm
from graphnet.validation import must_be, require_counts

Outcomes = Generator[Round | Failure, None, None]
"""Rounds and failures, as they end."""

_DEATHS = {"TerminatedWorkerError", "KilledWorker", "WorkerCrashedError"}
"""What loky, Dask and Ray call the death of a worker; by name, as not all are installed."""


def rounds(
    make: Callable[[int], Any],
    n: int = 10,
    *,
    seeds: Iterable[int] | None = None,
    workers: int | None = None,
    directory: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    threads: int = 1,
    progress: bool | None = None,
) -> Rounds:
    """Run an experiment once for each seed, and return all its numbers.

    Each round starts from `torch.manual_seed(seed)` and `random.seed(seed)`, and its numbers are
    the same for any number of workers, wherever it runs. A round that fails does not stop the
    others, even if it ends its worker process. Ctrl-C and SIGTERM stop everything, workers
    included, and so does `sys.exit` in this process.

    Args:
        make: builds fresh data and weights from a seed, trains, and returns numbers by name: each a
            number, or a list of numbers, which is a curve. It may also return an object with
            `to_record()`, such as a `History`. The time is measured, unless a number is called
            "seconds".
        n: how many rounds; their seeds are 0, 1, ..., n - 1.
        seeds: the seeds to use instead.
        workers: how many rounds run at the same time, each in its own process; 1 runs them in this
            one. None leaves it to joblib: 1, or the setting of an active `joblib.parallel_config`.
        directory: where finished rounds are kept, as `round-<seed>.json`: they are not run again,
            even if `make` has changed, which is not checked.
        settings: of the experiment, kept with its rounds; anything that JSON can hold. Rounds with
            other settings are refused, so put here what may change.
        threads: of torch, in each round.
        progress: True to show a progress bar; None for one only on terminals.

    Raises:
        GraphError: all rounds failed, or an argument breaks its rule.
        RangeError: n, threads or workers is not an integer of 1 or more.
        LoadError: the directory holds rounds with other settings.

    >>> def make(seed):
    ...     sample = torch.rand(1000)
    ...     return {"mean": sample.mean(), "error": (sample < 0.1).double().mean()}
    >>> print(rounds(make, 3))  # doctest: +ELLIPSIS
    3 rounds  mean ± std
    mean      0.49... ± 0.0...
    error     ... %
    seconds   ...
    """
    require_counts(n=n, threads=threads)
    if workers is not None:
        require_counts(workers=workers)
    if not callable(make):
        raise GraphError(must_be("make", "a function of a seed", make))
    chosen = _seeds(range(n) if seeds is None else seeds)
    kept = None if directory is None else KeptRounds(directory, settings or {})
    ended: dict[int, Round | Failure] = {**kept.read(chosen)} if kept else {}
    missing = [seed for seed in chosen if seed not in ended]
    once = Once(make, threads, torch.get_default_dtype(), os.getpid())
    with (
        exit_on_sigterm(),
        closing(_outcomes(once, missing, workers)) as outcomes,
        progress_bar(progress, total=len(chosen), initial=len(ended), unit="round") as bar,
    ):
        for outcome in outcomes:
            ended[outcome.seed] = outcome
            if isinstance(outcome, Failure):
                ended[outcome.seed] = replace(outcome, traceback=sourced(outcome.traceback, make))
                failed = sum(isinstance(each, Failure) for each in ended.values())
                bar.set_postfix(failed=failed, refresh=False)
            elif kept:
                kept.keep(outcome)
            bar.update()
    return _collected([ended[seed] for seed in chosen])


def _seeds(seeds: Iterable[int]) -> list[int]:
    """The seeds as a list.

    Raises:
        GraphError: they are not distinct integers that torch and Python take.
    """
    try:
        chosen = [index(seed) for seed in seeds]
    except TypeError:
        raise GraphError(must_be("seeds", "a list of integers", seeds)) from None
    if not chosen or not all(0 <= seed < 2**63 for seed in chosen):
        raise GraphError(must_be("seeds", "one or more integers from 0 to 2**63 - 1", chosen))
    twice = sorted({seed for seed in chosen if chosen.count(seed) > 1})
    if twice:
        raise GraphError(
            f"Each seed is a round of its own; got {', '.join(map(str, twice))} more than once."
        )
    return chosen


def _collected(outcomes: Sequence[Round | Failure]) -> Rounds:
    """All outcomes together, with a warning about failures.

    Raises:
        GraphError: there are only failures.
    """
    results = [each for each in outcomes if isinstance(each, Round)]
    failures = [each for each in outcomes if isinstance(each, Failure)]
    if not results:
        count, first = counted(len(failures), "round"), failures[0]
        raise GraphError(f"Of {count} all failed; with seed {first.seed}:\n{first.traceback}")
    if failures:
        warnings.warn(
            f"{len(results)} of {len(outcomes)} rounds ended well; "
            + "; ".join(map(str, failures))
            + ". Tracebacks are in .failures.",
            RuntimeWarning,
            stacklevel=3,
        )
    return Rounds(results, failures)


# through joblib


def _outcomes(once: Once, seeds: list[int], workers: int | None) -> Outcomes:
    """Run the rounds, and yield them as they end.

    If a worker dies, the rounds in progress run again, each alone: the one that kills its worker
    fails, and the others go on.

    Raises:
        GraphError: the rounds cannot be sent to the workers.
    """
    if inside_a_round():
        yield from map(once, seeds)
        return
    waiting = seeds
    while waiting:
        begun: list[int] = []
        ended: set[int] = set()
        try:
            for outcome in _in_parallel(once, _noted(waiting, begun), len(waiting), workers):
                ended.add(outcome.seed)
                yield outcome
        except Exception as error:
            _require_death(error)
            for seed in [seed for seed in begun or waiting if seed not in ended]:
                ended.add(seed)
                yield _alone(once, seed, workers)
        waiting = [seed for seed in waiting if seed not in ended]


def _noted(seeds: Iterable[int], begun: list[int]) -> Iterator[int]:
    """The seeds, each noted when joblib takes it."""
    for seed in seeds:
        begun.append(seed)
        yield seed


def _alone(once: Once, seed: int, workers: int | None) -> Round | Failure:
    """One round with all workers to itself; their death is its failure."""
    try:
        (outcome,) = _in_parallel(once, iter([seed]), 1, workers)
    except Exception as error:
        _require_death(error)
        name = type(error).__name__
        return Failure(seed, f"{name}: the round has ended its worker process", str(error))
    return outcome


def _require_death(error: Exception) -> None:
    """Re-raise an error that is not the death of a worker process."""
    if type(error).__name__ not in _DEATHS:
        raise GraphError(
            f"The workers cannot run these rounds: {error} What make uses is sent to other "
            "processes; build it inside make, or pass workers=1."
        ) from error


def _in_parallel(
    once: Once, seeds: Iterator[int], count: int, workers: int | None
) -> Iterator[Round | Failure]:
    """Rounds through joblib's active backend, as they end."""
    from joblib import Parallel, delayed, effective_n_jobs

    options: dict[str, Any] = {"n_jobs": workers, "batch_size": 1, "pre_dispatch": "n_jobs"}
    try:
        parallel = Parallel(return_as="generator_unordered", **options)
    except ValueError:  # such a backend, like Ray's, returns results all at once: request few
        group = effective_n_jobs(workers)
        for _ in range(0, count, group):
            yield from Parallel(**options)(delayed(once)(seed) for seed in islice(seeds, group))
        return
    yield from parallel(delayed(once)(seed) for seed in seeds)
