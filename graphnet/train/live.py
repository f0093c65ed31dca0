"""A training run shown while it goes on: curves in a notebook, lines of text elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from graphnet.errors import counted
from graphnet.ipython import Display, in_notebook
from graphnet.listing.norm import norm
from graphnet.snapshot import Snapshot, buffers_of, generators_of
from graphnet.train.callbacks import Callback
from graphnet.train.examples import examined, looked_at
from graphnet.train.live_picture import BARS, Curve, bars_panel, curves_panel, page, thinned
from graphnet.train.logs import write_line
from graphnet.validation import require_counts, require_range

if TYPE_CHECKING:
    from graphnet.train.run import Run

MOST_FINDINGS = 4  # that are written out
SHARE = 10  # a measurement of gradients may take one part in this many of the time


class Flow(NamedTuple):
    """The gradients on some rows, and what they show.

    Attributes:
        norms: the name of each parameter, and the norm of its gradient.
        findings: what `graph.doctor` finds, in sentences.
    """

    norms: list[tuple[str, float]]
    findings: list[str]


class Live(Callback):
    """Shows a training run while it goes on.

    In a notebook these are curves of the loss and of each metric, the norm of the gradient of each
    parameter, and what `graph.doctor` finds; they are drawn anew in place. Elsewhere it is a line
    of text now and then. Training computes the same numbers with it as without.

    Gradients are those of the first rows of the training data, measured at the ends of epochs, and
    so rarely that they take at most a tenth of the time.

    Args:
        seconds: the least time between two pictures, or lines.
        rows: how many rows of the training data the gradients are measured on.

    Raises:
        RangeError: the seconds are negative, or the rows not an integer of 1 or more.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> model, x = gn.Linear(2, 1), empty(8, 2).fill_(1)
    >>> sgd = gn.SGD(model.parameters(), lr=0.1)
    >>> data, live = (x, x[:, :1]), gn.Live()
    >>> _ = gn.fit(model, gn.LossMSE(), data, sgd, callbacks=live)  # doctest: +ELLIPSIS
    epoch 1 of 1  loss ...  gradients ... to ...
    """

    every_step = False
    rank_zero_only = True

    def __init__(self, seconds: float = 0.5, rows: int = 64) -> None:
        require_range("seconds", seconds)
        require_counts(rows=rows)
        self.seconds, self.rows = seconds, rows
        self.reset()

    def reset(self) -> None:
        """Forget the picture, the gradients and the times."""
        self._display: Display | None = None
        self._flow = Flow([], [])
        self._shown_at = self._measured_at = float("-inf")
        self._cost = 0.0
        self._told: tuple[int, list[str]] = (-1, [])

    def start(self, run: Run) -> None:
        """Look whether this is a notebook."""
        self._display = Display() if in_notebook() else None

    def step(self, run: Run) -> None:
        """Draw the picture anew if it is old."""
        if self._display is not None and self._is_due():
            self._show(run)

    def epoch(self, run: Run) -> None:
        """Measure the gradients if that is cheap, and show everything if it is old."""
        if perf_counter() - self._measured_at >= max(self.seconds, SHARE * self._cost):
            self._measure(run)
        if self._is_due():
            self._show(run)

    def end(self, run: Run) -> None:
        """Show how it ended."""
        if run.history.epochs or run.history.losses:
            if not run.failed:
                self._measure(run)
            self._show(run)

    def _is_due(self) -> bool:
        return perf_counter() - self._shown_at >= self.seconds

    def _measure(self, run: Run) -> None:
        start = perf_counter()
        self._flow = gradient_flow(run, self.rows)
        self._measured_at = perf_counter()
        self._cost = self._measured_at - start

    def _show(self, run: Run) -> None:
        """Draw the picture anew, or write a line about the last epoch."""
        if self._display is not None:
            self._display.show(_html(run, self._flow), _text(run, self._flow))
        elif self._told[0] != run.epoch:
            write_line(_text(run, self._flow))
            for finding in self._flow.findings if self._flow.findings != self._told[1] else ():
                write_line(f"  {finding}")
            self._told = run.epoch, self._flow.findings
        self._shown_at = perf_counter()


def gradient_flow(run: Run, rows: int) -> Flow:
    """The gradients of the first rows of the training data; the run goes on as if unobserved."""
    from graphnet.diagnose.health import health  # which can draw, as training need not

    task = run.task
    graph, learned = task.graph, [each for each in task.graph.parameters() if each.requires_grad]
    kept = [
        (each, None if each.grad is None else each.grad.clone(), each.fresh) for each in learned
    ]
    batch = looked_at(run, 0, min(rows, examined(run)))
    with Snapshot(buffers_of(graph), generators_of(graph)):
        graph.forward(task.feed(batch), outputs=task.loss)
        graph.backward(task.loss)
        found = [finding.sentence for finding in health(graph, task.loss).findings]
        norms = [(graph.name_of(each), norm(each.grad)) for each in learned]
    for parameter, grad, fresh in kept:
        parameter.grad = grad
        parameter.fresh = fresh
    return Flow(norms, found)


def _facts(run: Run) -> list[str]:
    """The epoch, and its losses and metrics."""
    parts = [f"epoch {run.epoch} of {run.settings.epochs}"]
    columns = [column for group in run.history.groups().values() for column in group]
    last = run.history.last
    parts += [f"{name.replace('_', ' ')} {last[name]:.4g}" for name in columns if name in last]
    return parts


def _text(run: Run, flow: Flow) -> str:
    """The last epoch in one line."""
    parts = _facts(run)
    sizes = [size for _, size in flow.norms]
    if sizes:
        parts.append(f"gradients {min(sizes):.1e} to {max(sizes):.1e}")
    if flow.findings:
        parts.append(f"doctor: {counted(len(flow.findings), 'finding')}")
    return "  ".join(parts)


def _html(run: Run, flow: Flow) -> str:
    """The picture."""
    history = run.history
    panels = [
        curves_panel(name.replace("_", " "), _curves(run, name, columns))
        for name, columns in history.groups().items()
    ]
    if flow.norms:
        panels.append(bars_panel("norm of each gradient", _weights(run, flow)))
    seconds = sum(row.get("seconds", 0.0) for row in history.epochs)
    facts = [*_facts(run), f"step {run.step:,}", f"{seconds:.1f} s"]
    remarks = flow.findings[:MOST_FINDINGS]
    if len(flow.findings) > MOST_FINDINGS:
        remarks.append(f"… {len(flow.findings) - MOST_FINDINGS} more: graph.doctor() lists all.")
    return page(" · ".join(facts), panels, remarks)


def _curves(run: Run, group: str, columns: Sequence[str]) -> list[Curve]:
    """The curves of the loss, or of a metric."""
    history, found = run.history, []
    if group == "loss":
        each = run.epoch_steps or max(1, run.step // max(1, run.epoch))
        places, means = thinned(history.losses)  # of which there may be a million
        found.append(Curve("step", [(place + 1) / each for place in places], means, 2))
    for column in columns:
        rows = [row for row in history.epochs if column in row]
        held = column.startswith("validation_")
        x, y = [row["epoch"] for row in rows], [row[column] for row in rows]
        found.append(Curve("validation" if held else "training", x, y, int(held)))
    return found


def _weights(run: Run, flow: Flow) -> list[tuple[str, float]]:
    """The norms of all parameters, or where these are many, of those that are matrices or more."""
    if len(flow.norms) <= BARS:
        return flow.norms
    matrices = {name for name, _ in flow.norms if len(run.task.graph[name].shape) > 1}
    return [(name, size) for name, size in flow.norms if name in matrices] or flow.norms
