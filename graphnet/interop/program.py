"""What a node of torch's exported program says: its call, module, line, shape and memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from graphnet.interop.steps import Ref

SAME = {"alias", "lift_fresh", "lift_fresh_copy", "contiguous", "clone", "placeholder"}
"""What returns the same numbers, in the same memory or in another."""

RESHAPES = {"view", "reshape", "_unsafe_view"}


def target_of(node: Any) -> str:
    """The name of what is called: "aten.add.Tensor", or that of a function of Python."""
    target = node.target
    if node.op == "placeholder":
        return "placeholder"
    if isinstance(target, torch._ops.OpOverload):
        return str(target)
    name = getattr(target, "__name__", str(target))
    return name if name == "getitem" else f"operator.{name}"


def name_of(node: Any) -> str:
    """The name of what is called without its library and overload: "add"."""
    return target_of(node).removeprefix("aten.").partition(".")[0]


def keeps_shape(name: str) -> bool:
    """True for a view that is all of its tensor, in its shape; what a write returns is one."""
    return name in SAME or name.endswith("_") or name == "to"


def is_write(target: str) -> bool:
    """True for a call of torch that writes to its first argument: "aten.add_.Tensor"."""
    name = target.removeprefix("aten.").partition(".")[0]
    return target.startswith("aten.") and name.endswith("_") and not name.endswith("__")


def detaches_constant(node: Any) -> bool:
    """True for the last part of `torch.tensor`: the copy of a constant has no history."""
    return name_of(node) == "detach_" and name_of(node.args[0]) == "lift_fresh_copy"


def undone(name: str, rest: tuple[Any, ...], value: Ref) -> tuple[str, tuple[Any, ...]]:
    """The call that undoes a permutation of dimensions."""
    if name == "permute":
        order = list(rest[0])
        count = len(order)
        return "aten.permute.default", (
            value,
            tuple(order.index(d if d in order else d - count) for d in range(count)),
        )
    if name == "transpose":
        return "aten.transpose.int", (value, *rest)
    return "aten.t.default", (value,)


def facts_of(node: Any) -> tuple[Any, Any]:
    """Shape and dtype of the value of a node, with None for a size that is not a number."""
    value = node.meta.get("val")
    if not isinstance(value, torch.Tensor):
        return None, None
    return tuple(size if isinstance(size, int) else None for size in value.shape), value.dtype


def base_of(node: Any) -> Any:
    """The argument whose memory the value of a node shares; None if there is none."""
    if name_of(node) == "lift_fresh_copy":  # a constant, of which each walk has a copy
        return None
    first = node.args[0] if node.args else None
    if not isinstance(first, torch.fx.Node):
        return None
    return first if _storages(node) & _storages(first) else None


def _storages(node: Any) -> set[int]:
    """The memory of the value of a node, or of all parts of it, such as those of a split."""
    value = node.meta.get("val")
    parts = value if isinstance(value, tuple | list) else [value]
    return {part.untyped_storage()._cdata for part in parts if isinstance(part, torch.Tensor)}


def path_of(node: Any) -> tuple[str, ...]:
    """The calls of modules around a node, from the outside, without the outermost.

    A later call of the same module has its number: "fc@1".
    """
    stack = node.meta.get("nn_module_stack") or {}
    calls = [(str(key), str(path)) for key, (path, _) in stack.items()]
    return tuple(
        path + "".join(key.partition("@")[1:])
        for key, path in calls
        if path and not path.startswith("_empty_nn_module")
    )


_TORCH = str(Path(torch.__file__).parent)


def line_of(node: Any) -> str:
    """The user's line that made a node: the last one that is not torch's."""
    found = ""
    for line in (node.meta.get("stack_trace") or "").splitlines():
        parts = line.strip().split(", ")
        if len(parts) > 2 and parts[0].startswith('File "') and _TORCH not in parts[0]:
            found = f"{parts[0][6:-1]}:{parts[1].removeprefix('line ')}"
    return found if Path(found.rpartition(":")[0]).is_absolute() else ""
