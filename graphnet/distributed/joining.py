"""How a process finds the others: by the variables that torchrun, or another launcher, sets."""

from __future__ import annotations

import atexit
import os
from contextlib import suppress
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from graphnet.distributed.group import Group
from graphnet.errors import GraphError, ProcessError
from graphnet.validation import must_be, require_range

_VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_joined: list[Group] = []
"""The group of this process, once it is known."""


def join(timeout: float = 600.0) -> Group:
    """The group that this process belongs to, which every process joins once.

    It is the group of torchrun, or of any launcher that sets RANK, WORLD_SIZE, MASTER_ADDR and
    MASTER_PORT; or the one that the program has made itself by `torch.distributed`; or else a group
    of one, so that the same program also runs by itself. With a GPU for each process of a machine
    the group is on those, else on the processors.

    Args:
        timeout: the seconds to wait for the others, here and in each call.

    Raises:
        RangeError: the timeout is not a number above 0.
        GraphError: a variable is missing, or not a number.
        ProcessError: the others are not found in that time.

    >>> join().size
    1
    """
    require_range("timeout", timeout, above=0)
    if not _joined:
        _joined.append(_found(timeout))
    return _joined[0]


def _found(timeout: float) -> Group:
    if dist.is_available() and dist.is_initialized():
        from torch.distributed.distributed_c10d import _get_default_store

        store = _prefixed("graphnet", _get_default_store())
        return Group(dist.get_rank(), dist.get_world_size(), _device(), timeout, store)
    if "WORLD_SIZE" not in os.environ:
        return Group(device=_device())
    if not dist.is_available():
        raise GraphError("This build of torch is without torch.distributed: unset WORLD_SIZE.")
    return _met(timeout)


def _met(timeout: float) -> Group:
    """Meet the others at the address in the environment."""
    missing = [name for name in _VARIABLES if name not in os.environ]
    if missing:
        raise GraphError(
            f"WORLD_SIZE is set, but {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} "
            "not: a launcher such as torchrun sets all of them. For one process, unset WORLD_SIZE."
        )
    rank, size, port = (_number(name) for name in ("RANK", "WORLD_SIZE", "MASTER_PORT"))
    address, device = os.environ["MASTER_ADDR"], _device()
    wait = timedelta(seconds=timeout)
    try:
        store = _prefixed(_attempt(), _store(address, port, rank, wait))
        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=wait)
    except RuntimeError as error:  # also the errors of the store
        reason = str(error).strip().split("\n")[0][:200]
        raise ProcessError(
            f"Rank {rank} of {size} did not meet the others at {address}:{port} within {timeout:g} "
            f"s: does every rank run, and can it reach that address? ({reason})"
        ) from error
    group = Group(rank, size, device, timeout, _prefixed("graphnet", store))
    group.watch_forks()
    atexit.register(_leave, group)
    return group


def _leave(group: Group) -> None:
    """Close the connections: threads that still wait would abort the end of the program."""
    group.leave()
    with suppress(Exception):  # the others may have gone already
        dist.destroy_process_group()


def _store(address: str, port: int, rank: int, wait: timedelta) -> Any:
    """Where the processes leave their addresses: torchrun keeps one, else rank 0 does."""
    from torch._C._distributed_c10d import TCPStore

    kept = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    first = not kept and rank == 0
    return TCPStore(address, port, is_master=first, timeout=wait, wait_for_workers=False)


def _prefixed(name: str, store: Any) -> Any:
    """A part of a store, whose keys have a prefix."""
    from torch._C._distributed_c10d import PrefixStore

    return PrefixStore(name, store)


def _attempt() -> str:
    """What distinguishes this start from earlier ones, whose addresses are still in the store."""
    names = ("TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT", "GROUP_WORLD_SIZE", "WORLD_SIZE")
    return "/".join(["graphnet", *(os.environ.get(name, "") for name in names)])


def _device() -> torch.device:
    """The GPU of this process if there is one for each on this machine, else the processor."""
    local = _number("LOCAL_RANK") if "LOCAL_RANK" in os.environ else 0
    here = _number("LOCAL_WORLD_SIZE") if "LOCAL_WORLD_SIZE" in os.environ else local + 1
    if not torch.cuda.is_available() or torch.cuda.device_count() < here:
        return torch.device("cpu")
    torch.cuda.set_device(local)
    return torch.device("cuda", local)


def _number(name: str) -> int:
    value = os.environ[name]
    try:
        return int(value)
    except ValueError:
        rule = "an integer, which a launcher such as torchrun sets"
        raise GraphError(must_be(name, rule, value)) from None
