"""The formulas of an operation, with a graph's names and shapes, from the operation's own rules.

Nothing is typed twice: see `formulas.symbols`. If a rule cannot run on symbols, or is too long for
one line, the call of the rule stands in for it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphnet.formulas.symbols import (
    FRACTION,
    Sheet,
    Term,
    Writer,
    above,
    below,
    latex_word,
    shape_signs,
)
from graphnet.graph import Node, Operation
from graphnet.graph.edges import Use, uses
from graphnet.graph.roles import loss_of
from graphnet.graph.walks import ancestors
from graphnet.ops.broadcasting import SumAs

if TYPE_CHECKING:
    from graphnet.graph import Graph

_MOST_PARTS = 8  # parts of a gradient that are written in its sum
_USUAL = {"weight": "W", "bias": "b"}


class Formulas:
    """The formulas of a whole list.

    Args:
        graph: the list.
        loss: what is differentiated, called L; None takes that of `loss_of`.
        latex: True for LaTeX, without the dollar signs around it.

    >>> import graphnet as gn
    >>> graph = gn.Graph()
    >>> y = graph.input((None, 2), name="x", requires_grad=True).tanh()
    >>> formulas = Formulas(graph)
    >>> formulas.forward(y), *formulas.backward(y)
    ('tanh = tanh(x)   (?×2)', 'dL/dx = dL/dtanh ⊙ (1 − tanh²)   (?×2 ⊙ ?×2)')
    """

    def __init__(self, graph: Graph, loss: Node | None = None, latex: bool = False) -> None:
        self.graph = graph
        self.loss = loss_of(graph) if loss is None else loss
        self.latex = latex
        self.letters = _letters(graph, self.loss)
        self.walked = list(graph) if self.loss is None else ancestors(list(graph), [self.loss])
        self.parts = self._parts()

    def _parts(self) -> dict[Node, list[tuple[int, int]]]:
        """For each node that a gradient reaches, the uses that it arrives through."""
        parts: dict[Node, list[tuple[int, int]]] = {}
        for node in reversed(self.walked):
            reached = node in parts or node is self.loss or self.loss is None
            if isinstance(node, Operation) and reached:
                place = self.graph.index(node)
                for number, use in enumerate(uses(node)):
                    if use.source.requires_grad:
                        parts.setdefault(use.source, []).append((place, number))
        return {node: sorted(places) for node, places in parts.items()}

    def forward(self, node: Node) -> str:
        """What a node computes, with this graph's names and shapes; for a leaf its name."""
        letter = self._letter(node)
        if not isinstance(node, Operation):
            return self._line(letter)
        sheet = Sheet(node)
        # An op with a trial draws random numbers in its forward, or keeps state: it is not run.
        fixed = node.op.trial is None
        result = sheet.run(node.op.forward, *sheet.operation.args) if fixed else None
        leaves = self._leaves(sheet, node)
        if result is None:
            result = sheet.operation
            del leaves[result]
        return self._line(Writer(leaves, self.latex).whole(result), letter.text)

    def backward(self, node: Node) -> list[str]:
        """The sum of what arrives at a node, then what it sends on to each of its inputs."""
        lines = self._arriving(node)
        if isinstance(node, Operation):
            sheet = Sheet(node)
            copies = uses(sheet.operation)
            for number, (use, copy) in enumerate(zip(uses(node), copies, strict=True)):
                if use.source.requires_grad:
                    name = self._part_name(use, number)
                    lines.append(self._line(self._contribution(sheet, use, copy), name))
        return lines

    def _arriving(self, node: Node) -> list[str]:
        """The gradient of the loss, which is 1, or of a node that several uses send parts to."""
        letter, count = self.letters[node], len(self.parts.get(node, ()))
        total = "1"
        if node is not self.loss:
            if count < 2:
                return []
            parts = [letter.gradient(self.latex, use) for use in range(1, count + 1)]
            if count > _MOST_PARTS:
                parts[2:-1] = [r"\dots" if self.latex else "…"]
            total = " + ".join(parts)
        return [self._line(Term(total, self._letter(node).shape), letter.gradient(self.latex))]

    def _part_name(self, use: Use, number: int) -> str:
        """The gradient of a source, or the part of it that comes from one of several uses."""
        parts = self.parts.get(use.source, [])
        place = (self.graph.index(use.operation), number)
        which = parts.index(place) + 1 if len(parts) > 1 and place in parts else 0
        return self.letters[use.source].gradient(self.latex, which)

    def _contribution(self, sheet: Sheet, use: Use, copy: Use) -> Term:
        """What one use sends back, as a formula or else as the call of its rule."""
        leaves = self._leaves(sheet, use.operation)
        result = _unsummed(sheet.run(copy.derivative, sheet.grad), use)
        writer = Writer(leaves, self.latex)
        if result is not None:
            return writer.whole(result)
        reads = [
            leaves[sheet.grad if at == "grad" else entry].text
            if isinstance(entry, Node)
            else str(entry.top)
            for entry, at in copy.reads
        ]
        name = f"{use.op.name}.{use.function.__name__}"
        return writer.call(name, reads, shape_signs(use.source.shape, self.latex))

    def _leaves(self, sheet: Sheet, node: Node) -> dict[Node, Term]:
        """The text of each symbol of a sheet."""
        leaves = {symbol: self._letter(real) for symbol, real in sheet.tops.items()}
        arriving = self.letters[node].gradient(self.latex)
        leaves[sheet.grad] = Term(arriving, self._letter(node).shape, FRACTION)
        return leaves

    def _letter(self, node: Node) -> Term:
        """What stands for a node, with its shape."""
        return Term(self.letters[node].written(self.latex), shape_signs(node.shape, self.latex))

    def _line(self, term: Term, name: str = "") -> str:
        """A formula with the shapes that meet in it."""
        text = f"{name} = {term.text}" if name else term.text
        shape = term.shape if term.shape == "()" else f"({term.shape})"
        return rf"{text} \quad {shape}" if self.latex else f"{text}   {shape}"


def _unsummed(result: Node | None, use: Use) -> Node | None:
    """A contribution without a sum to the shape that it already has, according to the last walk."""
    summed = isinstance(result, Operation) and isinstance(result.op, SumAs)
    if not summed or use.op.core_dims or not (use.operation.computed and use.source.computed):
        return result
    same = use.operation.top.shape == use.source.top.shape
    return result.args[0] if same and isinstance(result, Operation) else result


@dataclass(frozen=True)
class Letter:
    """What stands for a node in a formula: a word, often of one letter, and a subscript.

    >>> Letter("W", "0").written(), Letter("W", "0").written(latex=True)
    ('W₀', 'W_{0}')
    """

    word: str
    index: str = ""

    def written(self, latex: bool = False) -> str:
        """As LaTeX, or as Unicode, where a name with characters other than . and _ is quoted."""
        if not latex:
            word = self.word if re.fullmatch(r"[\w.]+", self.word) else repr(self.word)
            return word + below(self.index)
        word = self.word if self.word.isalpha() and len(self.word) == 1 else ""
        index = f"_{{{self.index}}}" if self.index else ""
        return (word or rf"\mathrm{{{latex_word(self.word)}}}") + index

    def gradient(self, latex: bool = False, use: int = 0) -> str:
        """The derivative of the loss L with respect to the node, or what one use sends back of it.

        >>> Letter("x").gradient(), Letter("h.mul").gradient(use=2)
        ('dL/dx', 'dL/d(h.mul)⁽²⁾')
        """
        name = self.written(latex)
        if latex:
            return rf"\frac{{dL}}{{d{name}}}" + (f"^{{({use})}}" if use else "")
        one_word = self.word.replace("_", "").isalnum()
        part = f"⁽{above(str(use))}⁾" if use else ""
        return f"dL/d{name if one_word else f'({name})'}{part}"


def _letters(graph: Graph, loss: Node | None) -> dict[Node, Letter]:
    """What stands for each node: L for the loss, W₀ for "0.weight", else the name itself.

    A short form is used only if no other node has it too.
    """
    full = {node: Letter(graph.name_of(node)) for node in graph}
    short = {node: _short(letter.word) for node, letter in full.items()}
    if loss is not None:
        short[loss] = Letter("L")
    taken = Counter(letter.written() for letter in [*full.values(), *short.values()])
    return {
        node: short[node] if taken[short[node].written()] == 1 else letter
        for node, letter in full.items()
    }


def _short(name: str) -> Letter:
    """The number of the layer below the word: "1.tanh" is tanh₁."""
    match = re.fullmatch(r"(\d+)\.([A-Za-z]\w*)", name)
    return Letter(_USUAL.get(match[2], match[2]), match[1]) if match else Letter(name)
