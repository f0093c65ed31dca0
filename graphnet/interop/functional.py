"""From torch's exported program, which writes into tensors, to steps that only return values.

A view is remembered together with the tensor that it is a view of. When something is written into
it, the tensor gets a new value, in which the written part is replaced; other views of the same
tensor are taken anew when they are read.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils import _pytree as pytree

from graphnet.errors import GraphError
from graphnet.interop.program import (
    RESHAPES,
    SAME,
    base_of,
    detaches_constant,
    facts_of,
    is_write,
    keeps_shape,
    line_of,
    name_of,
    path_of,
    target_of,
    undone,
)
from graphnet.interop.steps import Leaf, Ref, Step, Steps

_NO_VALUES = {"_assert_async", "_assert_scalar", "sym_constrain_range_for_size"}
_NO_VALUES |= {"sym_constrain_range", "_assert_tensor_metadata"}


def steps_of(program: Any, names: dict[str, str]) -> Steps:
    """The steps of an exported program.

    Args:
        program: what `torch.export` returned.
        names: the canonical name of each parameter and buffer by all of its names.

    Raises:
        GraphError: it writes into a part of a tensor in a way that has no form without writes.
    """
    return _Reader(program, names).read()


class _Reader:
    def __init__(self, program: Any, names: dict[str, str]) -> None:
        self.program = program
        self.names = names
        self.result = Steps()
        self.values: dict[Any, Any] = {}  # by torch.fx node: a Ref, a tuple of them, or a number
        self.bases: dict[Any, Any] = {}  # the node that a view is a view of
        self.seen: dict[Any, int] = {}  # how often the root had been written when it was read
        self.written: dict[Any, int] = {}
        self.leaves: dict[Any, Leaf] = {}
        self.untracked: set[Any] = set()  # in a block without gradients, what is from outside
        self.count = 0

    def read(self) -> Steps:
        """All nodes, in order."""
        self.result.constants = self.program.constants
        specs = iter(self.program.graph_signature.input_specs)
        for node in self.program.graph.nodes:
            if node.op == "placeholder":
                self._leaf(node, next(specs))
            elif node.op == "call_function":
                self._call(node)
            elif node.op == "get_attr":  # a block, which the call of `_block` opens
                continue
            elif node.op == "output":
                flat = [self._argument(each) for each in node.args[0]]
                flat = flat[-self.program.call_spec.out_spec.num_leaves :] if flat else flat
                self.result.outputs = pytree.tree_unflatten(flat, self.program.call_spec.out_spec)
            else:
                raise GraphError(
                    f"torch's program has a part that is no call: {node.format_node()}"
                )
        self._find_writes()
        return self.result

    def _leaf(self, node: Any, spec: Any) -> None:
        kind = spec.kind.name
        if kind in ("PARAMETER", "BUFFER"):
            leaf = Leaf("state", self.names.get(spec.target, spec.target))
        elif kind == "CONSTANT_TENSOR":
            leaf = Leaf("constant", spec.target)
        elif kind == "USER_INPUT":
            shape, _ = facts_of(node)
            if shape is None:  # a number, which the module was recorded for
                self.values[node] = node.meta.get("val")
                return
            leaf = Leaf("input", node.name)
            self.result.inputs[node.name] = shape
        else:
            raise GraphError(f"torch's program has an input of a kind that is unknown here: {kind}")
        number = next((n for n, each in self.result.leaves.items() if each == leaf), self._number())
        self.result.leaves[number] = self.leaves[node] = leaf
        self.values[node] = Ref(number)

    def _number(self) -> int:
        self.count += 1
        return self.count

    def _call(self, node: Any) -> None:
        """One call: a view, a write, or a plain operation."""
        target, name = target_of(node), name_of(node)
        if name in _NO_VALUES:
            return
        if target == "operator.wrap_with_set_grad_enabled":
            self._block(node)
            return
        if target == "getitem" and isinstance(self.values.get(node.args[0]), tuple):
            self.values[node] = self.values[node.args[0]][node.args[1]]
            return
        same = name in SAME or detaches_constant(node)
        if not same and is_write(target):
            self._write(node, target, name)
            return
        base = base_of(node)
        if base is not None:
            self.bases[node] = base
        if same or (name == "to" and facts_of(node) == facts_of(node.args[0])):
            self.values[node] = self._value(node.args[0])
        else:
            self.values[node] = self._emit(node, target, node.args, node.kwargs)
        self._mark(node)

    def _block(self, node: Any) -> None:
        """A part of the program with gradients switched off, or on again."""
        enabled, block, *arguments = node.args
        graph = getattr(self.program.graph_module, block.target).graph
        around = self.untracked
        self.untracked = around if enabled else set(self.values)
        given = iter(arguments)
        for inner in graph.nodes:
            if inner.op == "placeholder":
                outer = next(given)
                self.bases[inner] = outer
                self.values[inner] = self._value(outer)
                self._mark(inner)
            elif inner.op == "call_function":
                self._call(inner)
            elif inner.op == "output":
                results = [self._argument(each) for each in inner.args[0]]
                stop = [
                    self._emit_like(each, each, "aten.detach.default", (value,))
                    if isinstance(value, Ref) and not enabled
                    else value
                    for each, value in zip(inner.args[0], results, strict=True)
                ]
                self.values[node] = tuple(stop)
        self.untracked = around

    def _emit(self, node: Any, target: str, args: Any, kwargs: Any, like: Any = None) -> Ref:
        """A step for a node, on the current values of its arguments."""
        path, line = path_of(node), line_of(node)
        shape, dtype = facts_of(like if like is not None else node)
        found = Ref(self._number())
        if target.removeprefix("aten.").partition(".")[0] in RESHAPES:
            target = "aten.reshape.default"
        step = Step(
            found.number,
            target,
            self._argument(args),
            self._argument(kwargs),
            path,
            line,
            shape,
            dtype,
        )
        self.result.steps.append(step)
        return found

    def _argument(self, value: Any) -> Any:
        """An argument with references in the place of torch's nodes."""
        if isinstance(value, torch.fx.Node):
            return self._value(value)
        if isinstance(value, dict):
            return {name: self._argument(item) for name, item in value.items()}
        if isinstance(value, tuple | list):
            return tuple(self._argument(item) for item in value)
        return value

    # views and writes

    def _root(self, node: Any) -> Any:
        while node in self.bases:
            node = self.bases[node]
        return node

    def _mark(self, node: Any) -> None:
        self.seen[node] = self.written.get(self._root(node), 0)

    def _value(self, node: Any) -> Any:
        """The value of a node now: that of a view again, if its tensor was written meanwhile."""
        if node in self.bases and self.seen.get(node) != self.written.get(self._root(node), 0):
            if keeps_shape(name_of(node)):
                self.values[node] = self._value(self.bases[node])
            else:
                self.values[node] = self._emit(node, target_of(node), node.args, node.kwargs)
            self._mark(node)
        return self.values[node]

    def _write(self, node: Any, target: str, name: str) -> None:
        """A call whose name ends in an underscore: its first argument gets the result."""
        plain = target.replace(f".{name}.", f".{name[:-1]}.", 1)
        written = node.args[0]
        root = self._root(written)
        if root in self.untracked and root not in self.leaves:
            raise GraphError(
                f"{line_of(node) or node}: under torch.no_grad, a tensor from outside is written. "
                "Its gradient would be that of other values. Make a new tensor instead."
            )
        self._put(written, self._emit(node, plain, node.args, node.kwargs, like=written), node)
        self.bases[node] = written
        self.values[node] = self.values[written]
        self._mark(node)

    def _put(self, node: Any, value: Ref, writer: Any) -> None:
        """A new value for a node, and so for the tensor that it is a view of."""
        self.values[node] = value
        root = self._root(node)
        chain = [node]
        while chain[-1] in self.bases:
            view = chain[-1]
            base = self.bases[view]
            self.values[base] = value = self._undo(view, base, value, writer)
            chain.append(base)
        self.written[root] = self.written.get(root, 0) + 1
        for each in chain:
            self._mark(each)

    def _undo(self, view: Any, base: Any, value: Ref, writer: Any) -> Ref:
        """The base with a part replaced: the reverse of a view."""
        name = name_of(view)
        if keeps_shape(name):
            return value
        rest = tuple(view.args[1:])
        if name in ("select", "slice"):
            args = (self._value(base), value, *self._argument(rest))
            return self._emit_like(base, writer, f"graphnet.{name}_scatter", args)
        if name in ("transpose", "t", "permute", "numpy_T", "mT"):
            back = undone(name, rest, value)
            return self._emit_like(base, writer, *back)
        if name in (
            "view",
            "reshape",
            "flatten",
            "unflatten",
            "unsqueeze",
            "squeeze",
            "_unsafe_view",
        ):
            args = (value, self._value(base))
            return self._emit_like(base, writer, "aten.reshape_as.default", args)
        raise GraphError(
            f"{line_of(writer) or writer}: writing into a part of a tensor that {name} gives has "
            "no form without writes. Make a new tensor instead."
        )

    def _emit_like(self, like: Any, writer: Any, target: str, args: tuple[Any, ...]) -> Ref:
        shape, dtype = facts_of(like)
        found = Ref(self._number())
        self.result.steps.append(
            Step(found.number, target, args, {}, path_of(writer), line_of(writer), shape, dtype)
        )
        return found

    def _find_writes(self) -> None:
        """Parameters and buffers whose tensor has another value at the end."""
        for node in self.written:
            leaf = self.leaves.get(node)
            if leaf is not None and leaf.kind != "input":
                self.result.writes[leaf.name] = self.values[node]
