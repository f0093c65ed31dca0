"""The checks that operations and modules share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from typing import TYPE_CHECKING, Any

from graphnet.check.finite_differences import compare_slopes, wave
from graphnet.check.graph import CheckReport, check_graph
from graphnet.check.report import Check, NotLooked
from graphnet.check.subject import Laid, Subject, copies, difference, differs, is_tensor
from graphnet.errors import GraphError

if TYPE_CHECKING:
    from torch import Tensor


class Suite:
    """The checks of one subject; each method that `checks` names checks one thing."""

    def __init__(self, subject: Subject, reference: Callable[..., Any] | None) -> None:
        self.subject = subject
        self.reference = reference
        self.wrong = False

    def checks(self) -> Iterator[tuple[str, Check]]:
        """The checks by name, in the order in which they are run."""
        yield "untouched inputs", self.untouched_inputs
        yield "repeatable", self.repeatable
        yield "value", self.value
        yield "derivatives", self.derivatives
        yield "second derivatives", self.second_derivatives
        yield "strided inputs", self.strided_inputs
        yield "read-only inputs", self.read_only_inputs
        yield "no rows", self.no_rows
        yield "one row", self.one_row
        yield "unknown batch size", self.unknown_batch_size
        yield "a graph used again", self.graph_used_again
        yield "dtypes", self.dtypes
        yield "other shapes", self.other_shapes

    def untouched_inputs(self) -> str:
        """Neither the walks nor a call with tensors may write to an input."""
        values = self.subject.values()
        fed = copies(values)
        laid = self.subject.lay(fed)
        laid.run(fed)
        for name, before, after in zip(self._names(), values, fed, strict=True):
            if is_tensor(before) and difference(after, before):
                return (
                    f"the input {name!r} is changed: an operation must not write to its inputs. A "
                    "method whose name ends in _ writes in place; use the one without it"
                )
        return ""

    def _names(self) -> list[str]:
        names = self.subject.names
        return [*names, *(f"x{n}" for n in range(len(names), len(self.subject.shapes)))]

    def repeatable(self) -> str:
        """The same inputs give the same results."""
        values = self.subject.values()
        laid = self.subject.lay(values)
        first, second = laid.run(values), laid.run(values)
        fault = differs(second, first, laid.names)
        return f"at a second call with the same numbers {fault}" if fault else ""

    def value(self) -> str:
        """The value is that of the reference."""
        if self.reference is None:
            raise NotLooked("no reference function is given")
        values = self.subject.values()
        expected = self.reference(*copies(values))
        expected = list(expected) if isinstance(expected, tuple | list) else [expected]
        tops = self.subject.lay(values).forward(values)
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
            NotLooked: they are wrong.
        """
        if self.wrong:
            raise NotLooked("the derivatives come first")

    def _derivatives(self, values: list[Any]) -> str:
        laid = self.subject.lay(values)
        if not laid.floating:
            raise NotLooked("the output is not floating-point")
        feed = dict(zip(laid.inputs, filter(is_tensor, values), strict=True))
        for output in laid.floating:
            report = check_graph(laid.graph, output, feed)
            if not report:
                return _in_words(report)
        laid.run(values)
        return ""

    def second_derivatives(self) -> str:
        """The second derivatives, as nodes, agree with differences of the first."""
        self._need_right_derivatives()
        values = self.subject.values()
        laid = self.subject.lay(values)
        if not laid.floating or not laid.sources:
            raise NotLooked("there are no first derivatives")
        _, walked = laid.run(values)
        slope, first = self._slope(laid)
        second = laid.graph.gradients(slope, laid.sources)
        tensors = [value for value in values if is_tensor(value)]
        feed = dict(zip(laid.inputs, tensors, strict=True))
        appended = list(laid.graph.forward(feed, outputs=first))
        fault = differs(([], appended), ([], walked), laid.names)
        if fault:
            return f"appended as nodes {fault}, as in the backward walk"
        ruled = [top.clone() for top in laid.graph.forward(feed, outputs=second)]
        for node, name, rule in zip(laid.sources, laid.names, ruled, strict=True):
            base = feed[node] if node in feed else node.top  # noqa: SIM401 - top may be gone

            def at(move: Tensor, node: Any = node, base: Tensor = base) -> float:
                if node in feed:
                    return float(laid.graph.forward({**feed, node: base + move}, outputs=slope))
                node.top.add_(move)
                result = float(laid.graph.forward(feed, outputs=slope))
                node.top.sub_(move)
                return result

            fault = compare_slopes(at, base.clone(), rule)
            if fault:
                return (
                    f"the second derivative by {name!r} is {fault}. The first is right: look in "
                    "the rule for anything that is not a node, such as a number read from a tensor"
                )
        return ""

    def _slope(self, laid: Laid) -> tuple[Any, list[Any]]:
        """A weighted sum of all first derivatives, and the derivatives themselves."""
        graph = laid.graph
        weighted = [
            (y * graph.parameter(wave(y.top), requires_grad=False)).sum() for y in laid.floating
        ]
        sources = laid.sources
        first = graph.gradients(reduce(lambda a, b: a + b, weighted), sources)
        tops = [node.top for node in sources]
        terms = [
            (each * graph.parameter(wave(top), requires_grad=False)).sum()
            for each, top in zip(first, tops, strict=True)
        ]
        return reduce(lambda a, b: a + b, terms), first

    def strided_inputs(self) -> str:
        """Inputs that are not contiguous give the same results."""
        values = self.subject.values()
        strided = [_strided(value) if is_tensor(value) else value for value in values]
        return self._same(strided, values)

    def read_only_inputs(self) -> str:
        """Inputs whose elements share memory, which torch refuses to write to, work as well."""
        values = [
            _repeated(value) if is_tensor(value) else value for value in self.subject.values()
        ]
        return self._same(values, copies(values))

    def _same(self, values: list[Any], expected: list[Any]) -> str:
        laid = self.subject.lay(values)
        return differs(laid.run(values), self.subject.lay(expected).run(expected), laid.names)

    def no_rows(self) -> str:
        """A batch without rows works, or the package refuses it by an error of its own."""
        places = self.subject.batch()
        values = self.subject.values(self.subject.resized(places, 0))
        try:
            laid = self.subject.lay(values)
            laid.run(values)
        except GraphError:
            raise NotLooked("the package refuses a batch without rows, by its own error") from None
        return ""

    def one_row(self) -> str:
        """A batch of one row has right derivatives, or the package refuses it by its own error."""
        self._need_right_derivatives()
        places = self.subject.batch()
        values = self.subject.values(self.subject.resized(places, 1))
        try:
            self.subject.lay(values).run(values)
        except GraphError:
            raise NotLooked("the package refuses a batch of one row, by its own error") from None
        return self._derivatives(values)

    def unknown_batch_size(self) -> str:
        """A graph built for any batch size gives the results of one built for this size."""
        places = self.subject.batch()
        values = self.subject.values()
        laid = self.subject.lay(values, unknown=places)
        expected = self.subject.lay(values).run(values)
        fault = differs(laid.run(values), expected, laid.names)
        if fault or not laid.floating:
            return fault
        # The derivatives as nodes must work for any size as well.
        feed: dict[Any, Tensor] = dict(zip(laid.inputs, filter(is_tensor, values), strict=True))
        terms, sources = [], laid.sources
        for number, output in enumerate(laid.floating):
            weight = laid.graph.input(output.shape, name=f"weight {number}", dtype=output.dtype)
            feed[weight] = wave(output.top)
            terms.append((output * weight).sum())
        nodes = laid.graph.gradients(reduce(lambda a, b: a + b, terms), sources)
        found = list(laid.graph.forward(feed, outputs=nodes))
        return differs(([], found), ([], expected[1]), laid.names)

    def graph_used_again(self) -> str:
        """A second batch, and then the first again, give the results of a new graph."""
        values, others = self.subject.values(), self.subject.values(start=5)
        laid = self.subject.lay(values)
        laid.run(values)
        for each in (others, values):
            again, fresh = laid.run(each), self.subject.lay(each).run(each)
            fault = differs(again, fresh, laid.names)
            if fault:
                return f"with the second batch {fault}: something is kept from the first"
        return ""

    def dtypes(self) -> str:
        """Single precision stays single, double stays double, and both agree."""
        values, single = self.subject.values(), self.subject.values(double=False)
        laid, small = self.subject.lay(values), self.subject.lay(single, double=False)
        big, little = laid.run(values), small.run(single)
        for kind, run, source in (("float64", big, laid), ("float32", little, small)):
            found = {str(t.dtype) for t in run[0] if t.dtype.is_floating_point}
            if found - {f"torch.{kind}"}:
                return f"inputs of {kind} give an output of {', '.join(sorted(found))}"
            wrong = {str(t.dtype) for t in run[1]} - {f"torch.{kind}"}
            if wrong:
                return f"inputs of {kind} get gradients of {', '.join(sorted(wrong))}"
            for node in source.floating:
                if str(node.dtype) != f"torch.{kind}":
                    return f"the graph expects {node.dtype}, not torch.{kind}"
        fault = differs(little, big, laid.names, tolerance=1e-3)
        return f"in float32 {fault}" if fault else ""

    def other_shapes(self) -> str:
        """Other shapes have the right gradients, or the package refuses them by its own error."""
        self._need_right_derivatives()
        for place, shape in enumerate(self.subject.shapes):
            if not isinstance(shape, tuple):
                continue
            for other in _neighbours(shape):
                shapes = (*self.subject.shapes[:place], other, *self.subject.shapes[place + 1 :])
                fault = self._with_shapes(shapes)
                if fault:
                    return f"with the shapes {', '.join(map(str, shapes))}: {fault}"
        return ""

    def _with_shapes(self, shapes: tuple[Any, ...]) -> str:
        values = self.subject.values(shapes)
        try:
            laid = self.subject.lay(values)
            laid.forward(values)
        except GraphError:
            return ""  # refused, as it should be
        except Exception as error:
            return (
                f"{type(error).__name__}: {error}. A shape that does not fit must be refused by "
                "an error of the package (ShapeError)"
            )
        try:
            laid.run(values)
        except Exception as error:
            return f"forward takes them, but the rules do not: {error}"
        return self._derivatives(values) if laid.floating else ""


def _in_words(report: CheckReport) -> str:
    """The first wrong derivative of a graph."""
    row = report.first_wrong
    if row is None:
        return ""
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
