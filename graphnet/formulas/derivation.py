"""The backward pass of a small net as a worked exercise in Markdown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from graphnet.errors import GraphError, counted
from graphnet.formulas.operation import Formulas
from graphnet.graph import Node, Operation
from graphnet.graph.roles import checked_loss, kind_of
from graphnet.notebook import Markdown

if TYPE_CHECKING:
    from graphnet.graph import Graph

_MOST = 60  # nodes that are all written out
_ENDS = 10  # nodes written out at either end of a longer list

_SIGNS = """\
A line begins with the place of its node in the list, and ends with the shapes that meet in it; a
size `?` depends on the fed tensor. `·` is a matrix product, or a product with a number; `⊙`, `+`,
`−` and `/` work element by element, and repeat the smaller side; `ᵀ` swaps the last two
dimensions; `Σ₀` sums over dimension 0, and `sum_as(a, b)` sums until `a` has the shape of `b`. The
gradients that several uses send back to a node are added up."""


def derivation(graph: Graph, loss: Node | None = None, latex: bool = False) -> Markdown:
    """The forward and the backward pass, line by line, as Markdown: a worked exercise.

    Args:
        graph: the list.
        loss: the node to differentiate; None takes the start of the last backward walk, else the
            last single floating-point number.
        latex: True for formulas in LaTeX between dollar signs, False for Unicode in code blocks.

    Raises:
        GraphError: there is no single number to differentiate.

    >>> import graphnet as gn
    >>> graph = gn.Graph()
    >>> x = graph.input((3,), name="x", requires_grad=True)
    >>> text = derivation(graph, (x * x).sum())
    >>> print(text[text.index("## Backward") :])
    ## Backward
    <BLANKLINE>
    ```text
    2  dL/dL = 1   ()
       dL/dmul = dL/dL   (3)
    1  dL/dx⁽¹⁾ = dL/dmul ⊙ x   (3 ⊙ 3)
       dL/dx⁽²⁾ = dL/dmul ⊙ x   (3 ⊙ 3)
    0  dL/dx = dL/dx⁽¹⁾ + dL/dx⁽²⁾   (3)
    ```
    <BLANKLINE>
    """
    checked_loss(graph, loss)
    formulas = Formulas(graph, loss, latex)
    if formulas.loss is None:
        raise GraphError(
            "A derivation starts from one floating-point number, and this list computes none: "
            "append a loss, or name the node, graph.derivation(loss=...)."
        )
    return Markdown("\n".join(_page(formulas)))


def _page(formulas: Formulas) -> list[str]:
    """The page, line by line."""
    walked = formulas.walked
    leaves = [node for node in walked if not isinstance(node, Operation)]
    operations: list[Node] = [node for node in walked if isinstance(node, Operation)]
    reached = [n for n in reversed(walked) if n in formulas.parts or n is formulas.loss]
    page = ["# The backward pass, node by node", "", _SIGNS, ""]
    if len(walked) > _MOST:
        page += [
            f"The loss is computed from {len(walked)} nodes, more than {_MOST}: of each part, "
            f"only the first {_ENDS} and the last {_ENDS} nodes are written out.",
            "",
        ]
    page += _section(formulas, "Given", leaves, lambda node: [_given(formulas, node)])
    page += _section(formulas, "Forward", operations, lambda node: [formulas.forward(node)])
    return page + _section(formulas, "Backward", reached, formulas.backward)


def _given(formulas: Formulas, node: Node) -> str:
    """The line of a leaf: its name and shape, and what it is."""
    kind = rf" \quad \text{{{kind_of(node)}}}" if formulas.latex else f"   {kind_of(node)}"
    return formulas.forward(node) + kind


def _section(
    formulas: Formulas, title: str, nodes: list[Node], written: Callable[[Node], list[str]]
) -> list[str]:
    """One part of the page: the lines of some nodes, each with its place in the list."""
    ends = _ENDS if len(formulas.walked) > _MOST and len(nodes) > 2 * _ENDS else len(nodes)
    lines: list[str] = []
    for number, node in enumerate(nodes):
        if number == ends:
            lines.append(_left_out(len(nodes) - 2 * ends, formulas.latex))
        if number < ends or number >= len(nodes) - ends:
            lines += _placed(formulas, node, written(node))
    body = ["$$", r"\begin{aligned}", *lines, r"\end{aligned}", "$$"]
    return [f"## {title}", "", *(body if formulas.latex else ["```text", *lines, "```"]), ""]


def _placed(formulas: Formulas, node: Node, lines: list[str]) -> list[str]:
    """The lines of a node; the first one begins with its place."""
    place = str(formulas.graph.index(node))
    if formulas.latex:
        starts = [place, *[""] * len(lines)]
        return [rf"{start} &\quad {line} \\" for start, line in zip(starts, lines, strict=False)]
    width = len(str(len(formulas.graph) - 1))
    starts = [place.rjust(width), *[" " * width] * len(lines)]
    return [f"{start}  {line}" for start, line in zip(starts, lines, strict=False)]


def _left_out(count: int, latex: bool) -> str:
    """The line in place of nodes that are left out."""
    text = f"… {counted(count, 'node')} left out …"
    return rf"&\quad \text{{{text}}} \\" if latex else text
