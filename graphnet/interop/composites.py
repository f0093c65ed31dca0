"""Composite operations, such as `hstack`, as the operations that torch makes them of.

Only those that have no rule of their own here, and whose parts all have one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from graphnet.interop.program import SAME, target_of
from graphnet.interop.rules import rule_for
from graphnet.interop.steps import Step

_NO_RULE = SAME | {"sym_size", "size", "view", "_unsafe_view"}
"""Operations that are read without a rule, or by that of another one."""


def taken_apart(program: Any) -> Any:
    """An exported program with the parts of composite operations in their place."""
    for module in program.graph_module.modules():
        if isinstance(module, torch.fx.GraphModule):
            for node in list(module.graph.nodes):
                _replace(module.graph, node)
    return program


def _replace(graph: Any, node: Any) -> None:
    """The parts of one node in its place, if it is composite."""
    if not _is_composite(node):
        return
    given = list(_nodes_in((node.args, node.kwargs)))
    parts = _parts(node, given)
    if parts is None or not all(each.op != "get_attr" and _is_known(each) for each in parts.nodes):
        return
    places = (each for each in parts.nodes if each.op == "placeholder")
    values = dict(zip(places, given, strict=True))
    first = node.prev
    with graph.inserting_before(node):
        result = graph.graph_copy(parts, values)
    while first is not node.prev:
        first = first.next
        first.meta.update({key: node.meta[key] for key in _ORIGIN if key in node.meta})
    _use(graph, result, node)


def _use(graph: Any, result: Any, node: Any) -> None:
    """A result in the place of a node; several in the place of what is taken from it."""
    if isinstance(result, tuple | list):
        for part in list(node.users):
            _use(graph, result[part.args[1]], part)
    else:
        node.replace_all_uses_with(result)
    graph.erase_node(node)


_ORIGIN = ("stack_trace", "nn_module_stack")
"""What torch notes about the line and the module of a call."""


def _is_composite(node: Any) -> bool:
    target = node.target
    kind = torch._C.DispatchKey.CompositeImplicitAutograd
    return (
        isinstance(target, torch._ops.OpOverload)
        and not _is_known(node)
        and target.has_kernel_for_dispatch_key(kind)
    )


def _is_known(node: Any) -> bool:
    """True for what is no call, and for calls that can be read."""
    if node.op != "call_function":
        return True
    step = Step(0, target_of(node), ())
    plain = step.name.rstrip("_")
    written = Step(0, step.target.replace(f".{step.name}.", f".{plain}.", 1), ())
    return any(each.name in _NO_RULE or rule_for(each) is not None for each in (step, written))


def _parts(node: Any, given: list[Any]) -> Any:
    """What torch does for a call, as a graph; None if that cannot be recorded for open sizes."""
    values = [each.meta.get("val") for each in given]
    mode = next((each.fake_mode for each in values if isinstance(each, FakeTensor)), None)
    if mode is None:
        return None
    known = dict(mode.shape_env.replacements) if mode.shape_env else {}

    def call(*now: Any) -> Any:
        held = dict(zip(given, now, strict=True))
        args, kwargs = pytree.tree_map(
            lambda each: held.get(each, each) if isinstance(each, torch.fx.Node) else each,
            (node.args, node.kwargs),
        )
        return node.target(*args, **kwargs)

    try:
        with mode:
            graph = make_fx(call)(*values).graph
    except Exception:  # what cannot be taken apart is refused under its own name
        return None
    closed = mode.shape_env is not None and dict(mode.shape_env.replacements) != known
    return None if closed else graph


def _nodes_in(value: Any) -> Iterator[Any]:
    """The nodes among nested arguments, each once."""
    leaves = chain.from_iterable(map(pytree.tree_leaves, value))
    return iter(dict.fromkeys(each for each in leaves if isinstance(each, torch.fx.Node)))
