"""The exercise on a whole training loop."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet.exercises.program import ProgramExercise, explained, is_close
from graphnet.exercises.report import FORM
from graphnet.graph import Graph
from graphnet.optim import SGD

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Node

_LR, _EPOCHS = 0.1, 3
_STEP = 1e-4  # the loss is quadratic in the weights: central differences are exact but for rounding
_CLUE = (
    "No usual mistake explains it: follow the first batch through your loop, line by line. Which "
    "gradient does the first step use?"
)


class TrainingLoop(ProgramExercise):
    """Train: for each epoch, and for each batch in order, walk forward, walk backward, and step.

    `graph` is the list, `loss` its last node, `optimizer` has the method `step()`, and `batches` is
    a list of dicts: graph.forward(batch) walks forward with one of them, and returns the value of
    the loss. Return a list of numbers, the loss of every batch of every epoch, before its step.
    """

    method = "train"
    arguments = ("graph", "loss", "optimizer", "batches", "epochs")
    results = ("weights", "losses")

    @classmethod
    def judge(cls, answer: type) -> dict[str, tuple[str, str]]:
        """What is wrong with the trained weights, the returned losses, and in form."""
        own, run = answer(), Run(_batches(), _EPOCHS)
        error: Exception | None = None
        returned: Any = None
        try:
            returned = own.train(*run.arguments)
        except NotImplementedError:
            raise
        except Exception as raised:  # what it has done before may explain it
            error = raised
        hint = run.hint()
        if error is not None:
            fault = f"it raises {type(error).__name__}: {error}"
            call = f"It is called as {cls.method}({', '.join(cls.arguments)})."
            return dict.fromkeys(cls.results, (fault, hint or call))
        right, losses = run.expected()
        faults = {}
        if not is_close(run.weight.top, right):
            far = float((run.weight.top - right).abs().max())
            faults["weights"] = (f"after training they are off by {far:.6g}", hint or _CLUE)
        if wrong := _losses(returned, losses, run, hint):
            faults["losses"] = wrong
        return faults or _form(own, returned, run)


class Run:
    """A small network that an answer trains, and a record of what it calls.

    Args:
        batches: what it is trained with.
        epochs: how often.
    """

    def __init__(self, batches: list[dict[str, Tensor]], epochs: int) -> None:
        self.events: list[str] = []
        self.batches, self.epochs = batches, epochs
        self.start = _numbers(2, 1)
        graph = _Graph(self.events)
        x = graph.input((None, 2), name="x", dtype=self.start.dtype)
        t = graph.input((None, 1), name="t", dtype=self.start.dtype)
        self.weight: Any = graph.parameter(self.start.clone(), name="weight")
        error = x @ self.weight - t
        loss = (error * error).mean()
        optimizer = _SGD(self.events, [self.weight])
        self.arguments = graph, loss, optimizer, _copies(batches), epochs

    def expected(self) -> tuple[Tensor, Tensor]:
        """The weights after training, and the losses, by central differences of the loss."""
        weight, losses = self.start.clone(), []
        for batch in self.batches * self.epochs:
            losses.append(_loss(weight, batch))
            slopes = weight.new_zeros(weight.shape)
            for place in range(weight.numel()):
                move = weight.new_zeros(weight.shape)
                move[place] = _STEP
                ahead, back = _loss(weight + move, batch), _loss(weight - move, batch)
                slopes[place] = (ahead - back) / (2 * _STEP)
            weight = weight - _LR * slopes
        return weight, weight.new_tensor(losses)

    def hint(self) -> str:
        """The usual mistake that the order of the calls shows; "" if it is right."""
        walks, backs, steps = map(self.events.count, ("forward", "backward", "step"))
        count = len(self.batches)
        cycle = ["forward", "backward", "step"]
        if self.events == cycle * (count * self.epochs):
            return ""
        if not walks:
            return "graph.forward(batch) is never called: nothing is computed from the batches."
        if not backs:
            return "graph.backward(loss) is never called: without it there are no gradients."
        if not steps:
            return "optimizer.step() is never called: the gradients are there, but nothing moves."
        if self.events[:3] == ["forward", "step", "backward"] or self.events[0] != "forward":
            return "The order is forward, backward, step: a step uses the gradients of its batch."
        if backs < walks and backs in (1, self.epochs):
            return "The backward walk belongs in the inner loop: one for each batch."
        if steps < backs and steps in (1, self.epochs):
            return "The step belongs in the inner loop: one for each batch."
        if self.events == cycle * count:
            return "There is one epoch only: the outer loop runs over range(epochs)."
        if self.events == cycle * self.epochs:
            return "Each epoch has one step only: the inner loop runs over all batches."
        if walks == 2 * steps:
            return "It walks forward twice for each step: keep the loss of the first walk."
        return ""


class _Graph(Graph):
    """A graph that records its walks."""

    def __init__(self, events: list[str]) -> None:
        super().__init__()
        self._events = events

    def forward(self, *args: Any, **feed: Any) -> Any:
        """Record the walk, and make it."""
        self._events.append("forward")
        return super().forward(*args, **feed)

    def backward(self, *args: Any, **options: Any) -> None:
        """Record the walk, and make it."""
        self._events.append("backward")
        super().backward(*args, **options)


class _SGD(SGD):
    """An optimizer that records its steps."""

    def __init__(self, events: list[str], params: list[Node]) -> None:
        super().__init__(params, lr=_LR)  # type: ignore[arg-type]  # a recorded parameter is a node
        self._events = events

    def step(self, closure: Any = None) -> Any:
        """Record the step, and take it."""
        self._events.append("step")
        return super().step(closure)


def _losses(returned: Any, losses: Tensor, run: Run, hint: str) -> tuple[str, str] | None:
    """What is wrong with the returned losses, and a hint; None if nothing is."""
    if returned is None:
        return "it returns nothing", "Does it end with `return losses`?"
    if not isinstance(returned, list | tuple):
        return f"it returns {type(returned).__name__}, not a list", "Append each loss to a list."
    try:
        got = losses.new_tensor([float(each) for each in returned])
    except Exception:  # what stands in the list is up to the student
        return "what it returns are not numbers", "Append float(graph.forward(batch))."
    if is_close(got, losses):
        return None
    count = len(run.batches)
    wrong = (
        f"{len(got)} losses instead of {len(losses)}"
        if len(got) != len(losses)
        else _difference(got, losses)
    )
    mistakes = (
        (losses.view(-1, count).mean(1), "These are means of epochs: keep every batch."),
        (
            losses[count - 1 :: count],
            "Only the last batch of each epoch: append in the inner loop.",
        ),
        (losses[-1:], "Only the last loss is kept: make the list before the loops."),
        (losses[-count:], "Only the last epoch is kept: make the list before the loops."),
    )
    return wrong, explained(got, mistakes) or hint or _CLUE


def _difference(got: Tensor, losses: Tensor) -> str:
    """The loss that is most wrong; the others may look the same in so few digits."""
    place = int((got - losses).abs().nan_to_num(nan=inf).argmax())
    return f"{float(got[place]):.6g} instead of {float(losses[place]):.6g} at losses[{place}]"


def _form(own: Any, returned: Any, run: Run) -> dict[str, tuple[str, str]]:
    """What is wrong although the numbers are right."""
    if not all(type(loss) is float for loss in returned):
        kind = type(returned[0]).__name__
        fault = f"the losses are of type {kind}, not float"
        return {
            FORM: (fault, "float(...) makes a number of a tensor, so that its memory is freed.")
        }
    if hint := run.hint():
        return {FORM: (f"it makes {len(run.events)} calls", hint)}
    for batches, epochs in ((run.batches[:1], 2), (run.batches, 0)):
        other = Run(batches, epochs)
        count = len(own.train(*other.arguments))
        if count != len(batches) * epochs:
            fault = f"for {epochs} epochs of {len(batches)} batches it returns {count} losses"
            return {FORM: (fault, "Read the numbers of epochs and batches from the arguments.")}
    return {}


def _copies(batches: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
    """The batches in other memory, so that an answer cannot change what is right."""
    return [{name: value.clone() for name, value in batch.items()} for batch in batches]


def _loss(weight: Tensor, batch: dict[str, Tensor]) -> float:
    """The mean squared error of a linear model."""
    error = batch["x"].matmul(weight) - batch["t"]
    return float((error * error).mean())


def _batches() -> list[dict[str, Tensor]]:
    """Four batches of different sizes."""
    return [
        {"x": _numbers(2 * rows, rows).view(rows, 2), "t": _numbers(rows, 3 * rows)}
        for rows in (4, 5, 6, 3)
    ]


def _numbers(count: int, start: int) -> Tensor:
    """A column of numbers from -1 to 1 that are all different, in double precision."""
    places = empty(count, 1).double().fill_(1).cumsum(0) + 17 * start
    return places * 0.6180339887498949 % 1 * 2 - 1
