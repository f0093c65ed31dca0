"""A group of processes, as one of them sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist

from graphnet.data.order import Share
from graphnet.distributed.forks import Forks
from graphnet.distributed.heartbeat import Heartbeat
from graphnet.errors import GraphError, ProcessError
from graphnet.ops.processes import synchronized

if TYPE_CHECKING:
    from torch import Tensor

_SHORT = (torch.float16, torch.bfloat16)


class Group:
    """The processes that train one model together; see `join`.

    Each of them makes the same calls in the same order. A call in which another process does not
    take part ends with a `ProcessError` that names it.

    Args:
        rank: the number of this process, from 0.
        size: how many there are.
        device: where its tensors are.
        timeout: the seconds to wait for the others in a call.
        store: where the processes leave messages; None for a group of one.

    Attributes:
        place: what this process is doing, for messages: "step 17".
        is_apart: True inside `apart`, where there are rows that this process knows nothing of.

    >>> import graphnet as gn
    >>> group = gn.distributed.join()
    >>> group
    <Group: rank 0 of 1, cpu>
    >>> group.part(10)
    slice(0, 10, None)
    """

    def __init__(
        self,
        rank: int = 0,
        size: int = 1,
        device: str | torch.device = "cpu",
        timeout: float = 600.0,
        store: Any = None,
    ) -> None:
        self.rank, self.size, self.device = rank, size, torch.device(device)
        self.timeout, self.place = timeout, "the start"
        self._alone, self.is_apart, self._waits = size == 1, False, False
        self._heartbeat = None if store is None else Heartbeat(store, rank, self._state)
        self._lost = ""  # why there is no connection any more
        self._forks = Forks()

    def __repr__(self) -> str:
        return f"<Group: rank {self.rank} of {self.size}, {self.device}>"

    def __deepcopy__(self, memo: object) -> Group:
        return self  # there is one for each process

    def part(self, count: int, rank: int | None = None) -> slice:
        """Which of `count` rows a process takes: all processes together take each row once.

        The rows of the processes follow each other; their numbers differ by 1 at most, and may
        be 0.

        Args:
            count: the rows of the whole batch.
            rank: the process; this one if None.

        >>> [Group(rank, 4).part(10) for rank in range(4)]
        [slice(0, 2, None), slice(2, 5, None), slice(5, 7, None), slice(7, 10, None)]
        """
        rank = self.rank if rank is None else rank
        return Share(rank, self.size).part(count)

    @contextmanager
    def apart(self, whole: bool = False) -> Iterator[None]:
        """Inside, this process computes with its own rows only: it waits for no other.

        Args:
            whole: True to take them for all rows that there are.
        """
        before = self._alone, self.is_apart
        self._alone, self.is_apart = True, not whole
        try:
            yield
        finally:
            self._alone, self.is_apart = before

    def synchronized(self) -> AbstractContextManager[None]:
        """Inside, batch norms are appended that take their statistics from the rows of all.

        >>> import graphnet as gn
        >>> with Group().synchronized(), gn.Graph() as graph:
        ...     y = gn.BatchNorm1d(3)(gn.Input((None, 3), name="x"))
        >>> sum("all_reduce" in node.name for node in graph)
        2
        """
        return synchronized(self)

    def watch_forks(self) -> None:
        """From now on, workers are not started while a call is made: see `forks`."""
        self._forks.watch()

    def leave(self) -> None:
        """Say nothing more to the others: the program ends."""
        self._forks.calls.clear()
        if self._heartbeat is not None:
            self._heartbeat.stop()

    # sums

    def all_reduce(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """The sum of the tensors of all processes, of one shape, as a new tensor or in `out`.

        Raises:
            ProcessError: another process has ended, or does not come.
        """
        total = x.clone(memory_format=torch.contiguous_format) if out is None else out.copy_(x)
        return total if self._alone else self.sum_(total)

    def sum_(self, x: Tensor) -> Tensor:
        """The sum of the tensors of all processes, written to the tensor itself.

        Raises:
            ProcessError: another process has ended, or does not come.
        """
        if self.size == 1:
            return x
        if x.dtype in _SHORT or not x.is_contiguous():  # added up in float32
            whole = x.float() if x.dtype in _SHORT else x.contiguous()
            return x.copy_(self.sum_(whole))
        self._together(lambda: dist.all_reduce(x, async_op=True))
        return x

    def sum_of(self, numbers: Sequence[float]) -> list[float]:
        """The sum of some numbers over all processes, in float64.

        >>> Group().sum_of([1.0, 2.5])
        [1.0, 2.5]
        """
        total: list[float] = self.sum_(self._tensor(numbers, torch.float64)).tolist()
        return total

    # what they tell each other

    def broadcast_(self, x: Tensor) -> Tensor:
        """The tensor of rank 0, written to those of all others."""
        if self.size > 1:
            whole = x.contiguous()
            self._together(lambda: dist.broadcast(whole, 0, async_op=True))
            if whole is not x:
                x.copy_(whole)
        return x

    def gather(self, data: bytes) -> list[bytes]:
        """The bytes of all processes, by rank.

        >>> Group().gather(b"one")
        [b'one']
        """
        if self.size == 1:
            return [data]
        lengths = self._tensor([0.0] * self.size, torch.int64)
        lengths[self.rank] = len(data)
        sizes: list[int] = self.sum_(lengths).tolist()
        parts = self._gathered(self._bytes(data), sizes)
        return [each.cpu().numpy().tobytes() for each in parts]

    def gather_rows(self, x: Tensor, sizes: Sequence[int]) -> Tensor:
        """The rows of the tensors of all processes, in the order of the ranks.

        Args:
            x: the rows of this process.
            sizes: the number of rows of each process.
        """
        if self.size == 1:
            return x
        row = tuple(x.shape[1:])
        flat = x.contiguous().reshape(-1).view(torch.uint8)
        width = x.element_size() * x[:0].new_empty(row).numel()
        parts = self._gathered(flat, [size * width for size in sizes])
        return torch.cat(parts).view(x.dtype).reshape(sum(sizes), *row)

    def from_rank_0(self, make: Callable[[], bytes]) -> bytes:
        """The bytes that rank 0 makes, in all processes; what it raises is raised in all.

        Raises:
            GraphError: rank 0 raised one; in the others it is of the base class.
        """
        if self.size == 1:
            return make()
        error: Exception | None = None
        data = b""
        if self.rank == 0:
            try:
                data = b"+" + make()
            except Exception as raised:
                error, data = raised, b"-" + str(raised).encode()
        length = self._tensor([len(data)], torch.int64)
        content = torch.zeros(int(self.broadcast_(length)), dtype=torch.uint8, device=self.device)
        if self.rank == 0:
            content.copy_(self._bytes(data))
        data = self.broadcast_(content).cpu().numpy().tobytes()
        if error is not None:
            raise error
        if data[:1] == b"-":
            raise GraphError(data[1:].decode())
        return data[1:]

    def _gathered(self, flat: Tensor, sizes: Sequence[int]) -> list[Tensor]:
        """Bytes of several lengths, each padded to the longest on its way."""
        longest = max(sizes)
        if not longest:
            return [flat[:0] for _ in sizes]
        padded = flat.new_zeros(longest)
        padded[: len(flat)].copy_(flat)
        parts = [torch.empty_like(padded) for _ in sizes]
        self._together(lambda: dist.all_gather(parts, padded, async_op=True))
        return [part[:size] for part, size in zip(parts, sizes, strict=True)]

    def _bytes(self, data: bytes) -> Tensor:
        flat = torch.frombuffer(bytearray(data), dtype=torch.uint8) if data else torch.empty(0)
        return flat.to(self.device, torch.uint8)

    def _tensor(self, numbers: Sequence[float], dtype: torch.dtype) -> Tensor:
        return torch.tensor(numbers, dtype=dtype, device=self.device)

    # processes that do not come

    def _together(self, call: Callable[[], Any]) -> None:
        """Make a call in which all take part."""
        if self._lost:
            raise ProcessError(f"The group can do nothing more. {self._lost}")
        self._waits = True
        try:
            with self._forks.held():
                self._forks.calls.append(call())
                self._forks.calls[-1].wait()
        except RuntimeError as error:  # also DistBackendError, and a timeout
            self._lost = self._missing(error)
            raise ProcessError(self._lost) from error
        self._waits = False

    def _state(self) -> tuple[str, bool]:
        """What this process is doing, and whether it waits for the others."""
        return self.place, self._waits

    def _missing(self, error: Exception) -> str:
        """Who does not come, in words."""
        reason = str(error).strip().split("\n")[0][:160]
        me = f"Rank {self.rank} of {self.size} waits at {self.place}"
        try:
            others = {} if self._heartbeat is None else self._heartbeat.others(self.size)
        except RuntimeError:  # the store has gone with the process that kept it
            others = {0: "has ended, or cannot be reached"}
        if not others:
            return (
                f"{me}, and so do all others: the connection is lost, or they work on tensors of "
                f"other sizes ({reason})"
            )
        who = ", ".join(f"rank {rank} {what}" for rank, what in others.items())
        return (
            f"{me}, but {who}. It waits for {self.timeout:g} s; a longer time is "
            f"gn.distributed.join(timeout=...). The output of the other says more ({reason})."
        )
