"""Symbols: a rule runs on inputs of a scratch list, and what it appends there is written down.

Given nodes, a rule appends nodes. So an operation is put alone on a small list, a `Sheet`, with
symbols for all its inputs; what its rules append is the formula that they compute, and a `Writer`
writes it in Unicode or LaTeX.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from graphnet.console_text import printable
from graphnet.graph import Graph, Input, Node, Operation
from graphnet.ops.broadcasting import ExpandAs, Size

LOGIC, COMPARISON, SUM, PRODUCT, FRACTION, POWER, ATOM = range(7)
"""How tightly a term binds; if its position requires more, it gets brackets."""
_LONGEST = 30  # signs and names in a formula; a longer one is unpleasant to read
_BELOW = str.maketrans("0123456789,", "₀₁₂₃₄₅₆₇₈₉,")
_ABOVE = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SIGNS = {
    "+": ("+", SUM),
    "−": ("-", SUM),
    "⊙": (r"\odot", PRODUCT),
    "·": (r"\cdot", PRODUCT),
    "/": ("/", PRODUCT),
    ">": (r"\gt", COMPARISON),
    "≥": (r"\ge", COMPARISON),
    "<": (r"\lt", COMPARISON),
    "≤": (r"\le", COMPARISON),
    "=": ("=", COMPARISON),
    "≠": (r"\ne", COMPARISON),
    "∧": (r"\land", LOGIC),
    "∨": (r"\lor", LOGIC),
}
"""How LaTeX writes each sign of `Op.infix`, and how tightly it binds; any other binds loosely."""
_SPOKEN = {"sigmoid": ("σ", r"\sigma"), "sqrt": ("√", r"\surd")}


class Sheet:
    """A small list with a single operation, and symbols for all its inputs.

    The training mode is the current one, not a symbol, so that a rule takes that branch.

    Attributes:
        operation: a copy of the operation, on symbols.
        grad: the symbol for the gradient that arrives at it.
        tops: the node whose value each symbol stands for.
    """

    def __init__(self, operation: Operation) -> None:
        self._graph = Graph()
        symbols = {node: self._symbol(node) for node in dict.fromkeys(operation.inputs)}
        sources = (symbols[s] if isinstance(s, Node) else s.top for s in operation.sources)
        self.operation = self._graph.append(operation.op, tuple(sources))
        self.grad = self._symbol(operation)
        self.tops: dict[Node, Node] = {symbol: node for node, symbol in symbols.items()}
        self.tops[self.operation] = operation

    def _symbol(self, node: Node) -> Input:
        """An input with the shape and dtype of a node, and all that is known of these."""
        symbol = self._graph.input(node.shape, name=f"symbol_{len(self._graph)}", dtype=node.dtype)
        symbol.spec = node.spec
        return symbol

    def run(self, rule: Callable[..., Node], *arguments: Any) -> Node | None:
        """What a rule makes of symbols; None if it cannot run on them, or makes too much."""
        try:
            result = rule(*arguments)
            return result if self._lengths()[result] <= _LONGEST else None
        except Exception:  # anyone may have written the rule, and it may fail on symbols in any way
            return None

    def _lengths(self) -> dict[Node, int]:
        """How many names and signs the formula of each node has."""
        lengths: dict[Node, int] = {}
        for node in self._graph:
            known = node in self.tops or not isinstance(node, Operation)
            lengths[node] = 1 if known else 1 + sum(lengths[each] for each in node.inputs)
        return lengths


class Term(NamedTuple):
    """A piece of a formula: its text, the shapes in it, and how tightly it binds."""

    text: str
    shape: str = ""
    binding: int = ATOM


class Writer:
    """Writes nodes of a sheet as formulas.

    Args:
        leaves: the text of each symbol.
        latex: True for LaTeX, False for Unicode.
    """

    def __init__(self, leaves: dict[Node, Term], latex: bool = False) -> None:
        self.leaves = leaves
        self.latex = latex

    def whole(self, node: Node) -> Term:
        """A whole formula; a repetition to a larger shape is shown by the shape alone."""
        inner = self.term(_unexpanded(node))
        return inner if _unexpanded(node) is node else inner._replace(shape=self._shape(node))

    def term(self, source: Any) -> Term:
        """A symbol, a number, or an operation on terms."""
        if isinstance(source, Node) and source in self.leaves:
            return self.leaves[source]
        if not isinstance(source, Operation):
            return _number(source)
        op = source.op
        if type(op).__module__.startswith("graphnet.ops."):  # a user's op may be called add too
            special: Callable[[Operation], Term] | None = getattr(self, f"_write_{op.name}", None)
            if special is not None:
                return special(source)
        if op.infix and len(source.args) == 2 and getattr(op, "alpha", 1) == 1:
            return self._infix(source, *source.args)
        return self._call(source)

    def bracketed(self, source: Any, binding: int) -> Term:
        """A term where something that binds at least this tightly has to stand."""
        term = self.term(source)
        if term.binding >= binding:
            return term
        shape = self._shape(source) if isinstance(source, Node) else ""
        return Term(self._brackets(term.text), shape)

    def _brackets(self, text: str) -> str:
        return rf"\left({text}\right)" if self.latex else f"({text})"

    def call(self, name: str, arguments: Sequence[str], shape: str) -> Term:
        """A function of some arguments."""
        plain, latex = printable(name), rf"\operatorname{{{latex_word(name)}}}"
        spoken = _SPOKEN.get(name, (plain, latex))[self.latex]
        return Term(spoken + self._brackets(", ".join(arguments)), shape)

    def _call(self, node: Operation) -> Term:
        options = [latex_word(text) if self.latex else text for text in node.op.chosen]
        arguments = [self.term(each).text for each in node.args]
        return self.call(node.op.name, arguments + options, self._shape(node))

    def _shape(self, node: Node) -> str:
        return shape_signs(node.shape, self.latex)

    def _infix(self, node: Operation, left: Any, right: Any) -> Term:
        """Two terms with a sign between them, and their shapes with the same sign."""
        plain = node.op.infix
        latex, binding = _SIGNS.get(plain, (latex_word(plain), LOGIC))
        sign = latex if self.latex else printable(plain)
        first, second = _bare(left, right, node), _bare(right, left, node)
        one = self.bracketed(first, binding + (binding == COMPARISON))
        two = self.bracketed(second, binding + 1)
        shapes = [each.shape for each in (one, two)]
        joined = f" {sign} ".join(shapes) if all(shapes) and sign != "/" else self._shape(node)
        return Term(f"{one.text} {sign} {two.text}", joined, binding)

    # the operations that are not written as a sign between two terms, or as a call

    def _write_mul(self, node: Operation) -> Term:
        left, right = node.args
        if left is right:
            return self._write_square(node)
        if not isinstance(right, Node):
            left, right = right, left
        if isinstance(left, Node):
            return self._infix(node, left, right)
        one, two = self.bracketed(left, PRODUCT), self.bracketed(right, PRODUCT + 1)
        dot = r" \cdot " if self.latex else "·"
        return Term(f"{one.text}{dot}{two.text}", self._shape(node), PRODUCT)

    def _write_div(self, node: Operation) -> Term:
        left, right = node.args
        one = not isinstance(right, Node) and right == 1
        return self.term(left) if one else self._infix(node, left, right)

    def _write_neg(self, node: Operation) -> Term:
        inner = self.bracketed(node.args[0], PRODUCT)
        return Term(f"{'-' if self.latex else '−'}{inner.text}", self._shape(node), SUM)

    def _write_square(self, node: Operation) -> Term:
        return self._raised(node, "²", "{2}")

    def _write_pow_scalar(self, node: Operation) -> Term:
        exponent = vars(node.op)["exponent"]
        if not float(exponent).is_integer():
            return self._call(node)
        return self._raised(node, above(f"{int(exponent)}"), f"{{{int(exponent)}}}")

    def _raised(self, node: Operation, plain: str, latex: str) -> Term:
        base = self.bracketed(node.args[0], ATOM).text
        text = f"{{{base}}}^{latex}" if self.latex else base + plain
        return Term(text, self._shape(node), POWER)

    def _write_transpose(self, node: Operation) -> Term:
        dims = sorted((vars(node.op)["dim0"], vars(node.op)["dim1"]))
        return self._turned(node) if dims == [node.ndim - 2, node.ndim - 1] else self._call(node)

    def _write_permute(self, node: Operation) -> Term:
        return self._turned(node) if vars(node.op)["dims"] == (1, 0) else self._call(node)

    def _turned(self, node: Operation) -> Term:
        return self._raised(node, "ᵀ", r"\top")

    def _reduction(self, node: Operation) -> Term:
        """A sum or a mean, with the dimensions below its sign unless they are all."""
        signs = ("Σ", r"\sum") if node.op.name == "sum" else ("mean", r"\operatorname{mean}")
        (source,) = node.args
        dims = ",".join(map(str, vars(node.op)["dims"]))
        if len(vars(node.op)["dims"]) == source.ndim and not vars(node.op)["keepdim"]:
            dims = ""
        index = f"_{{{dims}}}" if self.latex and dims else below(dims)
        text = self._brackets(self.term(source).text)
        return Term(signs[self.latex] + index + text, self._shape(node))

    _write_sum = _write_mean = _reduction

    def _write_size(self, node: Operation) -> Term:
        texts = [self.term(each).text for each in (*node.args, vars(node.op)["dim"])]
        return self.call("size", texts, self._shape(node))

    def _write_clamp(self, node: Operation) -> Term:
        low, high = vars(node.op)["min"], vars(node.op)["max"]
        of_size = isinstance(node.args[0], Operation) and isinstance(node.args[0].op, Size)
        if of_size and low == 1 and high is None:
            return self.term(node.args[0])  # the mean of an empty tensor never occurs in a formula
        texts = [self.term(each).text for each in (*node.args, low)]
        return self._call(node) if high is not None else self.call("max", texts, self._shape(node))

    def _write_abs(self, node: Operation) -> Term:
        text = self.term(node.args[0]).text
        return Term(rf"\left|{text}\right|" if self.latex else f"|{text}|", self._shape(node))

    def _write_masked_fill(self, node: Operation) -> Term:
        source, mask = node.args
        return self._choice(node, mask, vars(node.op)["value"], source)

    def _write_where(self, node: Operation) -> Term:
        return self._choice(node, *node.args)

    def _write_choose(self, node: Operation) -> Term:
        return self.whole(node.args[0 if node.args[2] else 1])  # the branch of the mode alone

    def _choice(self, node: Operation, condition: Any, one: Any, other: Any) -> Term:
        terms = [self.term(each).text for each in (condition, one, other)]
        if not self.latex:
            return self.call("where", terms, self._shape(node))
        text = rf"{terms[1]} & {terms[0]} \\ {terms[2]} & \text{{else}}"
        return Term(rf"\begin{{cases}} {text} \end{{cases}}", self._shape(node))


def _number(value: Any) -> Term:
    """A number, without the decimal point if it is an integer."""
    whole = isinstance(value, float) and value.is_integer()
    text = str(int(value)) if whole else str(value)
    return Term(text, "", SUM if text.startswith("-") else ATOM)


def _unexpanded(source: Any) -> Any:
    """What is repeated to a larger shape, without the repetition."""
    while isinstance(source, Operation) and isinstance(source.op, ExpandAs):
        source = source.args[0]
    return source


def _bare(one: Any, other: Any, node: Operation) -> Any:
    """One side of a sign, without a repetition that the other side causes anyway."""
    full = isinstance(other, Node) and other.spec.trials == node.spec.trials
    broadcasts = node.op.broadcasts and node.op.elementwise
    return _unexpanded(one) if full and broadcasts and _unexpanded(other) is other else one


def latex_word(text: str) -> str:
    """A word for LaTeX; a character that LaTeX or Markdown would interpret becomes a ?."""
    kept = "".join(sign if sign.isalnum() or sign in "._=,() -" else "?" for sign in text)
    return kept.replace("_", r"\_")


def below(text: str) -> str:
    """Digits as a subscript: ₀₁."""
    return text.translate(_BELOW)


def above(text: str) -> str:
    """Digits as a superscript: ²."""
    return text.translate(_ABOVE)


def shape_signs(shape: Sequence[int | None], latex: bool = False) -> str:
    """A shape in short.

    >>> shape_signs((None, 25)), shape_signs((25,)), shape_signs(())
    ('?×25', '25', '()')
    """
    sizes = ("?" if size is None else str(size) for size in shape)
    return (r"{\times}" if latex else "×").join(sizes) or "()"
