"""A training run of several processes: each takes its rows of every batch, and all stay equal."""

from __future__ import annotations

import json
import platform
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from hashlib import blake2b
from signal import Signals
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator

from graphnet.data.order import Share
from graphnet.errors import GraphError, LoadError, ProcessError
from graphnet.snapshot import buffers_of, own_generators
from graphnet.train.capture import identify
from graphnet.train.checkpoint_file import TENSORS, TEXT, packed, unpacked
from graphnet.train.identity import differences
from graphnet.train.random_states import (
    RandomStates,
    random_states,
    same_random_numbers,
    seed_everything,
    set_random_states,
)
from graphnet.validation import must_be
from graphnet.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from graphnet.distributed import Group
    from graphnet.graph import Graph
    from graphnet.train.checkpoint_file import State
    from graphnet.train.run import Run
    from graphnet.train.signals import Interruption

_SIGNALS = (Signals.SIGINT, Signals.SIGTERM)
WISHES = 1 + len(_SIGNALS)
"""How many numbers say that a process wants to end: by a callback, or by a signal."""


class Across:
    """The processes of a training run, as one of them sees them.

    Args:
        group: the processes.
        sync: True for batch norms over the rows of all of them.

    Attributes:
        generator: what this process draws its own random numbers from, such as augmentation.
        share: which rows of each batch this process takes.
        agreed: how many processes want to end, by each of the reasons, as of the last update.
    """

    def __init__(self, group: Group, sync: bool) -> None:
        self.group, self.sync = group, sync
        self.generator = Generator()
        self.share = Share(group.rank, group.size)
        self._common: RandomStates | None = None
        self._own: list[tuple[Generator, int]] = []  # those of operations, with their seeds
        self.agreed = [0.0] * WISHES
        self._wishes = [0.0] * WISHES

    def meet(self, generator: Generator) -> None:
        """Draw the same orders and the same streams in all processes: those of rank 0."""
        state = generator.get_state()
        generator.set_state(self.group.broadcast_(state.to(self.group.device)).cpu())
        with self.reading():
            state = torch.get_rng_state()
            torch.set_rng_state(self.group.broadcast_(state.to(self.group.device)).cpu())
            version, numbers, gauss = random.getstate()
            known = self.group.from_rank_0(lambda: json.dumps([numbers, gauss]).encode())
            numbers, gauss = json.loads(known)
            random.setstate((version, tuple(numbers), gauss))

    def synchronized(self) -> AbstractContextManager[None]:
        """Inside, batch norms are appended as the training needs them."""
        return self.group.synchronized() if self.sync else nullcontext()

    # the same start in all processes

    def begin(self, run: Run) -> None:
        """Give all processes the values of rank 0, and refuse what differs.

        Raises:
            ProcessError: the processes do not train the same model on the same data.
        """
        self._own = [(each, each.initial_seed()) for each in own_generators(run.task.graph)]
        for memory in memories(run.task.graph):
            self.group.broadcast_(memory)
        own = json.dumps(described(run), sort_keys=True)
        of_all = self.group.gather(blake2b(own.encode(), digest_size=16).digest())
        if len(set(of_all)) > 1:
            self._refuse(own)

    def _refuse(self, own: str) -> None:
        """Tell all processes what differs from rank 0."""
        first = json.loads(self.group.from_rank_0(own.encode))
        found = [*different(first, json.loads(own))]
        words = "; ".join(found)[:2000].encode()
        said = [each.decode() for each in self.group.gather(words)]
        lines = [f"rank {rank}: {text}" for rank, text in enumerate(said) if text]
        raise ProcessError(
            "All processes train the same model on the same data, with the same settings. Other "
            f"than on rank 0 are, on {'. On '.join(lines)}. (Random data and models need a seed.)"
        )

    def shared(self, load: Callable[[], State | None]) -> State | None:
        """The state that rank 0 loads, in all processes; an error is raised in all of them.

        Raises:
            LoadError: rank 0 has raised an error.
        """
        try:
            data = self.group.from_rank_0(lambda: _as_bytes(load()))
        except ProcessError:
            raise
        except GraphError as error:
            raise error if isinstance(error, LoadError) else LoadError(str(error)) from None
        if not data:
            return None
        length = int.from_bytes(data[:8])
        return unpacked(data[8 : 8 + length], data[8 + length :])

    # the rows of a step

    def before_step(self, run: Run) -> None:
        """Draw what is random in a step from its number and the rank, so that it can be resumed."""
        self.group.place = f"step {run.step}"
        if self.group.size > 1:
            seed = seed_of(run.generator.initial_seed(), self.group.rank, run.step)
            seed_everything(seed)
            self.generator.manual_seed(seed)
            for place, (each, first) in enumerate(self._own):
                each.manual_seed(seed_of(seed, place, first))

    def source_of(self, run: Run) -> Generator:
        """What `augment` draws from: several processes draw different numbers."""
        return run.generator if self.group.size == 1 else self.generator

    def own_seed(self, seed: int) -> int:
        """A seed of this process, made from one of all."""
        return seed if self.group.size == 1 else seed_of(seed, self.group.rank)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Inside, all processes draw the same random numbers, which are those of one process.

        So all read the same batches of a stream, for instance of a loader that shuffles its rows.
        """
        if self.group.size == 1:
            yield
            return
        with same_random_numbers():
            if self._common is not None:
                set_random_states(self._common)
            try:
                yield
            finally:
                self._common = random_states()

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """Inside, the same, and afterwards it is as if no random number had been drawn."""
        with same_random_numbers(), self.reading(), same_random_numbers():
            yield

    def share_buffers(self, run: Run) -> None:
        """Give all processes the running statistics of rank 0, before they are measured."""
        self.group.place = f"the end of epoch {run.epoch}"
        for buffer in buffers_of(run.task.graph):
            self.group.broadcast_(buffer)

    # the end, by common vote

    @property
    def wishes(self) -> list[float]:
        """What this process says in an update: that it wants to end, and why."""
        return self._wishes

    def settle(self, run: Run, interruption: Interruption, *, now: bool = False) -> None:
        """Let the run end in all processes after the same step, if one of them wants to.

        Args:
            run: the training; what it wants is said in the next update.
            interruption: the signal that it may have received.
            now: True to ask all processes at once, as at the end of an epoch.
        """
        signals = [float(interruption.signal is each) for each in _SIGNALS]
        self._wishes = [max(self._wishes[0], float(run.stopped)), *signals]
        if now or self.group.size == 1:  # whose updates sum nothing
            self.agreed = self.group.sum_of(self._wishes)
        run.stopped = bool(self.agreed[0])
        got = [each for each, count in zip(_SIGNALS, self.agreed[1:], strict=True) if count]
        run.interrupted = bool(got)
        if got:
            interruption.signal = got[-1]


def group_of(across: Any) -> Group | None:
    """The group of a training run: of this process, if it is only said that there is one.

    Raises:
        GraphError: it is neither a flag nor a group.
    """
    from graphnet.distributed import Group, join

    if across is False or across is None:
        return None
    if across is True:
        return join()
    if not isinstance(across, Group):
        rule = "True, False, or a group, gn.distributed.join()"
        raise GraphError(must_be("across", rule, across))
    return across


def _as_bytes(state: State | None) -> bytes:
    """A checkpoint as the bytes of its two files, after the length of the first."""
    if state is None:
        return b""
    files = packed(state)
    return len(files[TEXT]).to_bytes(8) + files[TEXT] + files[TENSORS]


def memories(graph: Graph) -> list[Tensor]:
    """The memory of all parameters and buffers, each once."""
    arenas = dict.fromkeys(parameter.arena for parameter in graph.parameters())
    return [arena.value for arena in arenas]


def seed_of(*numbers: int) -> int:
    """A seed from several numbers.

    >>> seed_of(0, 1, 2) == seed_of(0, 1, 2), seed_of(0, 1, 2) == seed_of(0, 2, 1)
    (True, False)
    """
    text = " ".join(map(str, numbers)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest()) >> 1


def described(run: Run) -> dict[str, Any]:
    """All that must be equal in the processes of a training run."""
    return {
        "identity": identify(run),
        "beside": {
            "epochs": run.settings.epochs,
            "compile": run.settings.compile,
            "metrics": run.measured,
            "graphnet": __version__,
            "torch": str(torch.__version__),
            "Python": platform.python_version(),
        },
    }


def different(first: Mapping[str, Any], own: Mapping[str, Any]) -> Sequence[str]:
    """What differs from rank 0, in words."""
    found = [*differences(first["identity"], own["identity"], [])]
    for name, value in own["beside"].items():
        if first["beside"][name] != value:
            found.append(f"{name} is {value!r}, not {first['beside'][name]!r}")
    return found
