"""`compare_with_torch`: a torch module beside its import, in both modes, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from graphnet.console_text import shown, text_table
from graphnet.errors import shape_text
from graphnet.graph import Graph, Node
from graphnet.interop.capture import module_left_alone, tensors_of
from graphnet.interop.importing import from_torch
from graphnet.notebook import framed, html_paragraphs, html_table

TOLERANCES = {torch.float64: 1e-8, torch.float32: 1e-3}
"""How far numbers may differ, relative to the largest of their tensor."""

_COARSE = 5e-2  # for 16-bit numbers


@dataclass(frozen=True)
class ModelDifference:
    """How far one tensor differs.

    Attributes:
        mode: "training" or "evaluation".
        kind: "output", "gradient" or "buffer".
        name: the parameter, input or buffer, or the number of the output.
        shape: of the tensor.
        dtype: of the tensor.
        size: the largest finite element in torch, without its sign.
        difference: the largest difference.
        scale: the largest element of all tensors of its kind and mode.
        is_finite: False if torch's tensor holds infinities or NaN.
    """

    mode: str
    kind: str
    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    size: float
    difference: float
    scale: float = 0.0
    is_finite: bool = True

    @property
    def agrees(self) -> bool:
        """True if the difference is one of rounding."""
        allowed = TOLERANCES.get(self.dtype, _COARSE) * max(self.size, 0.01 * self.scale)
        return self.difference <= allowed or self.difference == 0


class ModelComparison:
    """A torch module and its import on the same inputs; true if they differ only by rounding.

    Attributes:
        rows: the largest difference of each output, gradient and buffer, in both modes.
    """

    def __init__(self, rows: list[ModelDifference]) -> None:
        self.rows = rows

    @property
    def wrong(self) -> list[ModelDifference]:
        """The rows that differ by more than rounding."""
        return [row for row in self.rows if not row.agrees]

    def __bool__(self) -> bool:
        return not self.wrong

    @property
    def verdict(self) -> str:
        """Whether both agree, in words."""
        if not self.wrong:
            text = f"All {len(self.rows)} tensors agree, in training and in evaluation."
            endless = sum(not row.is_finite for row in self.rows)
            return text + (f" {endless} of them hold infinities or NaN." if endless else "")
        first = self.wrong[0]
        return (
            f"{len(self.wrong)} of {len(self.rows)} tensors differ, first {first.kind} "
            f"{first.name!r} in {first.mode}."
        )

    def _table(self) -> list[tuple[str, ...]]:
        cells = [
            (r.mode, r.kind, r.name, shape_text(r.shape), f"{r.size:.3g}", f"{r.difference:.3g}")
            for r in self.rows
        ]
        return [("mode", "kind", "name", "shape", "|torch|", "difference"), *cells]

    def __str__(self) -> str:
        return f"{text_table(self._table(), right=(4, 5))}\n{shown(self.verdict)}"

    def __repr__(self) -> str:
        return f"<ModelComparison of {len(self.rows)} tensors: {len(self.wrong)} differ>"

    def _repr_html_(self) -> str:
        """The table, in a notebook."""
        return framed(html_table(self._table()), html_paragraphs(self.verdict))


def compare_with_torch(module: torch.nn.Module, *example_inputs: Any) -> ModelComparison:
    """Import a torch module, and compare its outputs, gradients and buffers with torch's own.

    The gradients are those of a sum of all outputs with different weights. Both sides start from
    the same random state, and drop the same elements: torch draws them in the order of memory, and
    here in that of the elements. The module is left as it was.

    Args:
        module: the module.
        example_inputs: tensors that it takes; more than one row, for a batch normalization.

    Raises:
        GraphError: it computes something that graphnet cannot; see `from_torch`.

    >>> import graphnet as gn, torch
    >>> comparison = gn.compare_with_torch(torch.nn.Linear(2, 3), torch.ones(4, 2))
    >>> bool(comparison), len(comparison.rows)
    (True, 8)
    """
    rows: list[ModelDifference] = []
    imported = from_torch(module, *example_inputs)
    for training in (True, False):
        model = deepcopy(imported)  # training changes its buffers
        graph, outputs = model.as_graph()
        with module_left_alone(module):
            module.train(training)
            graph.train(training)
            mode = "training" if training else "evaluation"
            found = list(_pairs(module, model, graph, outputs, example_inputs))
            rows += _differences(mode, found)
    return ModelComparison(rows)


def _pairs(
    module: torch.nn.Module, model: Any, graph: Graph, outputs: Any, examples: tuple[Any, ...]
) -> Iterator[tuple[str, str, torch.Tensor, torch.Tensor]]:
    """The kind and name of each tensor, with torch's and ours."""
    leaves = pytree.tree_map(_leaf, examples)
    with torch.enable_grad(), torch.random.fork_rng(devices=[]):
        given = pytree.tree_map(_copy, leaves)  # a module may write into it
        with _DrawnInOrder():  # type: ignore[no-untyped-call]  # torch's class has no types
            results = tensors_of([module(*given)])
    nodes = [each for each in pytree.tree_leaves(outputs) if isinstance(each, Node)]
    feed = dict(zip(graph.inputs, tensors_of(examples), strict=True))
    with torch.random.fork_rng(devices=[]):
        values = graph.forward(feed, outputs=nodes)
    for place, (theirs, ours) in enumerate(zip(results, values, strict=True)):
        yield "output", str(place), theirs.detach(), ours
    reached = [place for place, each in enumerate(results) if each.requires_grad]
    if reached:
        yield from _gradients(module, model, graph, nodes, leaves, results, reached)
    mine = model.state_dict()
    for name, theirs in module.state_dict().items():
        if name not in dict(module.named_parameters(remove_duplicate=False)):
            yield "buffer", name, theirs, mine[name]


def _gradients(
    module: Any, model: Any, graph: Graph, nodes: Any, leaves: Any, results: Any, reached: list[int]
) -> Iterator[tuple[str, str, torch.Tensor, torch.Tensor]]:
    """The gradients by parameters and floating inputs."""
    starts = [
        torch.linspace(0.5, 1.5, each.numel(), dtype=each.dtype, device=each.device).view(
            each.shape
        )
        for each in (results[place] for place in reached)
    ]
    named = {name: each for name, each in module.named_parameters() if each.requires_grad}
    known = dict(model.named_parameters())
    sides = [(each, known[name], name) for name, each in named.items()]
    inputs = zip(tensors_of(leaves), graph.inputs, strict=True)
    sides += [(each, node, node.name) for each, node in inputs if each.requires_grad]
    theirs = torch.autograd.grad(
        [results[place] for place in reached],
        [each for each, *_ in sides],
        starts,
        allow_unused=True,
        materialize_grads=True,
    )
    graph.backward([nodes[place] for place in reached], starts)
    for (_, node, name), grad in zip(sides, theirs, strict=True):
        yield "gradient", name, grad, torch.zeros_like(grad) if node.grad is None else node.grad


class _DrawnInOrder(TorchDispatchMode):
    """torch, but random masks are drawn in the order of the elements, not in that of memory."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call an operation of torch."""
        if func is not torch.ops.aten.bernoulli_.float or args[0].is_contiguous():
            return func(*args, **(kwargs or {}))
        drawn = torch.empty(args[0].shape, dtype=args[0].dtype, device=args[0].device)
        return args[0].copy_(func(drawn, *args[1:], **(kwargs or {})))


def _leaf(each: Any) -> Any:
    """A copy that autograd follows, if it has derivatives."""
    if not isinstance(each, torch.Tensor):
        return each
    return each.detach().clone().requires_grad_(each.is_floating_point())


def _copy(each: Any) -> Any:
    return each.clone() if isinstance(each, torch.Tensor) else each


def _differences(mode: str, found: list[tuple[str, str, Any, Any]]) -> list[ModelDifference]:
    """The rows of one mode; a gradient may err as if it were a share of the largest."""
    sizes = {kind: 0.0 for kind, *_ in found}
    for kind, _, theirs, _ in found:
        sizes[kind] = max(sizes[kind], _largest(theirs))
    return [
        ModelDifference(
            mode,
            kind,
            name,
            tuple(theirs.shape),
            theirs.dtype,
            _largest(theirs),
            _distance(theirs, ours),
            sizes[kind],
            bool(theirs.isfinite().all()),
        )
        for kind, name, theirs, ours in found
    ]


def _largest(tensor: torch.Tensor) -> float:
    finite = tensor.detach().double()[tensor.isfinite()]
    return float(finite.abs().max()) if finite.numel() else 0.0


def _distance(theirs: torch.Tensor, ours: torch.Tensor) -> float:
    """The largest difference; infinite for other shapes or dtypes."""
    if theirs.shape != ours.shape or theirs.dtype != ours.dtype:
        return float("inf")
    left, right = theirs.detach().double(), ours.detach().double()
    same = left.eq(right) | (left.isnan() & right.isnan())
    return float((left - right).masked_fill(same, 0).abs().max()) if left.numel() else 0.0
