"""The checks that operations and modules share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

from graphnet.check.finite_differences import compare_slopes, wave
from graphnet.check.graph import CheckRow, check_graph
from graphnet.check.report import NotChecked
from graphnet.check.subject import Built, Subject, copies, difference, differs, is_tensor, listed
from graphnet.errors import GraphError

if TYPE_CHECKING:
    from torch import Tensor


class Suite:
    """The checks of one subject; each public method checks one thing."""

    def __init__(self, subject: Subject, reference: Callable[..., Any] | None) -> None:
        self.subject = subject
        self.reference = reference
        self.wrong = False

    def untouched_inputs(self) -> str:
        """Neither the walks nor a call with tensors may write to an input."""
        values = self.subject.values()
        fed = copies(values)
        built = self.subject.build(fed)
        built.run(fed)
        for place, (before, after) in enumerate(zip(values, fed, strict=True)):
            if is_tensor(before) and difference(after, before):
                return (
                    f"the input {self.subject.name(place)!r} is changed: an operation must not "
                    "write to its inputs. A method whose name ends in _ writes in place; use the "
                    "one without it"
                )
        return ""

    def repeatable(self) -> str:
        """The same inputs give the same results."""
        values = self.subject.values()
        built = self.subject.build(values)
        first, second = built.run(values), built.run(values)
        fault = differs(second, first, built.names)
        return f"at a second call with the same numbers {fault}" if fault else ""

    def value(self) -> str:
        """The value is that of the reference."""
        if self.reference is None:
            raise NotChecked("no reference function is given")
        values = self.subject.values()
        expected = listed(self.reference(*copies(values)))
        tops = self.subject.build(values).forward(values)
        if len(tops) != len(expected):
            return f"there are {len(tops)} outputs, but {len(expected)} of the reference"
        return differs((tops, []), (expected, []), [])

    def derivatives(self) -> str:
        """Each rule agrees with central differences."""
        self.wrong = True  # until it succeeds
        fault = self._derivatives(self.subject.values())
        self.wrong = bool(fault)
        return fault

    def _need_right_derivatives(self) -> None:
        """Skip checks that depend on the derivatives if these are wrong, to report a fault once.

        Raises:
            NotChecked: they are wrong.
        """
        if self.wrong:
            raise NotChecked("the derivatives come first")

    def _derivatives(self, values: list[Any]) -> str:
        built = self.subject.build(values)
        if not built.floating:
            raise NotChecked("the output is not floating-point")
        for output in built.floating:
            if wrong := check_graph(built.graph, output, built.feed(values)).first_wrong:
                return _in_words(wrong)
        built.run(values)
        return ""

    def second_derivatives(self) -> str:
        """The second derivatives, as nodes, agree with differences of the first."""
        self._need_right_derivatives()
        values = self.subject.values()
        built = self.subject.build(values)
        if not built.floating or not built.sources:
            raise NotChecked("there are no first derivatives")
        _, walked = built.run(values)
        slope, first = self._slope(built)
        appended = list(built.graph.forward(built.feed(values), outputs=first))
        if fault := differs(([], appended), ([], walked), built.names):
            return f"appended as nodes {fault}, as in the backward walk"
        return self._compare_second(built, slope, built.feed(values))

    def _compare_second(self, built: Built, slope: Any, feed: dict[Any, Tensor]) -> str:
        """Compare the derivatives of the slope with its differences."""
        second = built.graph.gradients(slope, built.sources)
        ruled = [top.clone() for top in built.graph.forward(feed, outputs=second)]
        for node, name, rule in zip(built.sources, built.names, ruled, strict=True):
            base = feed[node] if node in feed else node.top  # noqa: SIM401 - top may be gone

            def at(move: Tensor, node: Any = node, base: Tensor = base) -> float:
                if node in feed:
                    return float(built.graph.forward({**feed, node: base + move}, outputs=slope))
                node.top.add_(move)
                result = float(built.graph.forward(feed, outputs=slope))
                node.top.sub_(move)
                return result

            if fault := compare_slopes(at, base.clone(), rule):
                return (
                    f"the second derivative by {name!r} is {fault}. The first is right: look in "
                    "the rule for anything that is not a node, such as a number read from a tensor"
                )
        return ""

    def _slope(self, built: Built) -> tuple[Any, list[Any]]:
        """A weighted sum of all first derivatives, and the derivatives themselves."""
        graph, sources = built.graph, built.sources

        def weighted(nodes: list[Any], tops: list[Tensor]) -> Any:
            weights = [graph.parameter(wave(top), requires_grad=False) for top in tops]
            return _sum((each * w).sum() for each, w in zip(nodes, weights, strict=True))

        tops = [node.top for node in sources]
        output = weighted(built.floating, [node.top for node in built.floating])
        first = graph.gradients(output, sources)
        return weighted(first, tops), first

    def strided_inputs(self) -> str:
        """Inputs that are not contiguous give the same results."""
        values = self.subject.values()
        return self._same(copies(values, _strided), values)

    def read_only_inputs(self) -> str:
        """Inputs whose elements share memory, which torch refuses to write to, work as well."""
        values = copies(self.subject.values(), _repeated)
        return self._same(values, copies(values))

    def _same(self, values: list[Any], expected: list[Any]) -> str:
        built = self.subject.build(values)
        return differs(built.run(values), self.subject.build(expected).run(expected), built.names)

    def no_rows(self) -> str:
        """A batch without rows works, or the package refuses it by an error of its own."""
        self._batch_of(0, "without rows")
        return ""

    def _batch_of(self, count: int, rows: str) -> list[Any]:
        """Values of a batch with some rows, which can be run.

        Raises:
            NotChecked: the package refuses it by an error of its own.
        """
        values = self.subject.values(self.subject.resized(self.subject.batch(), count))
        try:
            self.subject.build(values).run(values)
        except GraphError:
            raise NotChecked(f"the package refuses a batch {rows}, by its own error") from None
        return values

    def one_row(self) -> str:
        """A batch of one row has right derivatives, or the package refuses it by its own error."""
        self._need_right_derivatives()
        return self._derivatives(self._batch_of(1, "of one row"))

    def unknown_batch_size(self) -> str:
        """A graph built for any batch size gives the results of one built for this size."""
        places = self.subject.batch()
        values = self.subject.values()
        built = self.subject.build(values, unknown=places)
        expected = self.subject.build(values).run(values)
        fault = differs(built.run(values), expected, built.names)
        if fault or not built.floating:
            return fault
        # The derivatives as nodes must work for any size as well.
        feed, sources, terms = built.feed(values), built.sources, []
        for number, output in enumerate(built.floating):
            weight = built.graph.input(output.shape, name=f"weight {number}", dtype=output.dtype)
            feed[weight] = wave(output.top)
            terms.append((output * weight).sum())
        nodes = built.graph.gradients(_sum(terms), sources)
        found = list(built.graph.forward(feed, outputs=nodes))
        return differs(([], found), ([], expected[1]), built.names)

    def a_graph_used_again(self) -> str:
        """A second batch, and then the first again, give the results of a new graph."""
        values, others = self.subject.values(), self.subject.values(start=5)
        built = self.subject.build(values)
        built.run(values)
        for each in (others, values):
            again, fresh = built.run(each), self.subject.build(each).run(each)
            if fault := differs(again, fresh, built.names):
                return f"with the second batch {fault}: something is kept from the first"
        return ""

    def dtypes(self) -> str:
        """Single precision stays single, double stays double, and both agree."""
        values, single = self.subject.values(), self.subject.values(double=False)
        built, small = self.subject.build(values), self.subject.build(single, double=False)
        big, little = built.run(values), small.run(single)
        for kind, (tops, grads), source in (("float64", big, built), ("float32", little, small)):
            outputs = {str(t.dtype) for t in tops if t.dtype.is_floating_point}
            gradients = {str(t.dtype) for t in grads}
            for found, what in ((outputs, "give an output"), (gradients, "get gradients")):
                if found - {f"torch.{kind}"}:
                    return f"inputs of {kind} {what} of {', '.join(sorted(found))}"
            for node in source.floating:
                if str(node.dtype) != f"torch.{kind}":
                    return f"the graph expects {node.dtype}, not torch.{kind}"
        fault = differs(little, big, built.names, tolerance=1e-3)
        return f"in float32 {fault}" if fault else ""

    def other_shapes(self) -> str:
        """Other shapes have the right gradients, or the package refuses them by its own error."""
        self._need_right_derivatives()
        for place, shape in enumerate(self.subject.shapes):
            if not isinstance(shape, tuple):
                continue
            for other in _neighbours(shape):
                shapes = (*self.subject.shapes[:place], other, *self.subject.shapes[place + 1 :])
                if fault := self._with_shapes(shapes):
                    return f"with the shapes {', '.join(map(str, shapes))}: {fault}"
        return ""

    def _with_shapes(self, shapes: tuple[Any, ...]) -> str:
        values = self.subject.values(shapes)
        try:
            built = self.subject.build(values)
            built.forward(values)
        except GraphError:
            return ""  # refused, as it should be
        except Exception as error:
            return (
                f"{type(error).__name__}: {error}. A shape that does not fit must be refused by "
                "an error of the package (ShapeError)"
            )
        try:
            built.run(values)
        except Exception as error:
            return f"forward takes them, but the rules do not: {error}"
        return self._derivatives(values) if built.floating else ""


def _sum(terms: Iterable[Any]) -> Any:
    return reduce(add, terms)


def _in_words(row: CheckRow) -> str:
    """A wrong derivative of a graph."""
    text = f"the derivative of {row.name!r} by {row.input!r}: {row.fault}"
    return f"{text}. {row.hint.rstrip('.')}" if row.hint else text


def _strided(value: Tensor) -> Tensor:
    """The same values, with gaps between them in memory."""
    wide = value.new_zeros((*value.shape, 3))
    wide[..., 1] = value
    return wide[..., 1]


def _repeated(value: Tensor) -> Tensor:
    """The first row expanded to all rows without a copy; torch refuses to write to it."""
    if not value.ndim or not value.shape[0]:
        return value.clone()
    return value[:1].expand(value.shape)


def _neighbours(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Shapes that differ in one size."""
    for dim, size in enumerate(shape):
        yield (*shape[:dim], size + 1, *shape[dim + 1 :])
        if size > 1:
            yield (*shape[:dim], 1, *shape[dim + 1 :])
