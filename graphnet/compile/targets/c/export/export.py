"""From a graph to files of C."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphnet.compile import compile_graph
from graphnet.compile.run.compiled import Options, Prediction
from graphnet.compile.run.step import Step
from graphnet.compile.targets.c.export.example import Example
from graphnet.compile.targets.c.export.files import Network
from graphnet.compile.targets.c.export.functions import FunctionPrinter, Tile
from graphnet.compile.targets.c.export.memory import Memory
from graphnet.compile.targets.c.export.programs import Exported, prediction, training_step
from graphnet.compile.targets.c.export.report import ExportReport, report
from graphnet.compile.targets.c.names import IDENTIFIER, KEYWORDS, STANDARD_HEADERS, identifier
from graphnet.errors import GraphError
from graphnet.files import replace_file
from graphnet.graph import Input, Node
from graphnet.graph.walks import ancestors
from graphnet.snapshot import Snapshot, buffers_of, generators_of
from graphnet.validation import require_choice

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.build import Clip
    from graphnet.compile.targets.c.export.numbers import StepNumbers
    from graphnet.graph import Graph
    from graphnet.optim.base import Optimizer


def export_c(
    graph: Graph,
    path: str | Path,
    target: Node | Sequence[Node],
    optimizer: Optimizer | None,
    *,
    example: Mapping[Any, Tensor] | None,
    batch_size: int | None,
    predict: Node | Sequence[Node],
    weights: str,
    clip: Clip,
    check_finite: bool,
) -> ExportReport:
    """What `Graph.export_c` does."""
    require_choice("weights", weights, ("header", "argument"))
    file = Path(path)
    name = network_name(file)
    outputs = _listed(target if optimizer is None else predict)
    if optimizer is None and _listed(predict):
        raise GraphError("export_c: without an optimizer, the target is what is predicted.")
    compiled = _checked(graph, target, optimizer, outputs, clip, check_finite)
    losses = [compiled.loss] if isinstance(compiled, Step) else []
    nodes = ancestors(list(graph), [*losses, *outputs])
    given = Example.of(graph, [each for each in nodes if isinstance(each, Input)], example)
    functions, numbers = list[Exported](), None
    if isinstance(compiled, Step):
        rows = given.batch_size(batch_size, given.rows)
        with _explained(graph, given, rows, losses):
            exported, numbers = training_step(compiled, given, rows, clip, check_finite)
        functions.append(exported)
        batch_size = None  # a device that learns predicts row by row
    if outputs:
        rows = given.batch_size(batch_size, 1)
        with _explained(graph, given, rows, outputs):
            functions.append(prediction(graph, outputs, given, rows, alone=numbers is None))
    memory = Memory(functions, as_argument=weights == "argument")
    printers = _printers(name, functions, memory, numbers)
    files = Network(name, printers, memory, numbers, given).files()
    for each, text in files.items():
        replace_file(file.parent / each, text.encode())
    return report(file.parent, files, name, printers, memory)


def _checked(
    graph: Graph,
    target: Node | Sequence[Node],
    optimizer: Optimizer | None,
    outputs: Sequence[Node],
    clip: Clip,
    check_finite: bool,
) -> Step | Prediction[Any]:
    """What `graph.compile` makes of the same arguments, and refuses."""
    if optimizer is None and not outputs:
        raise GraphError("export_c needs a node to predict; the list is empty.")
    options = Options(tune=False, backend="torch")
    compiled: Any = compile_graph(graph, target, optimizer, clip, options, check_finite)
    for node in outputs:
        graph.index(node)
    step: Step | Prediction[Any] = compiled
    return step


@contextmanager
def _explained(
    graph: Graph, example: Example, rows: int, targets: Sequence[Node]
) -> Iterator[None]:
    """Raise an error of other kinds again in the graph's terms: those of a walk."""
    try:
        yield
    except GraphError:
        raise
    except Exception:
        with Snapshot(buffers_of(graph), generators_of(graph)):
            graph.forward(example.batch(rows), outputs=targets)
        raise


def _printers(
    name: str, functions: Sequence[Exported], memory: Memory, numbers: StepNumbers | None
) -> list[FunctionPrinter]:
    used, tiles = set[str](), set[Tile]()
    return [
        FunctionPrinter(name, each, memory, numbers if each.verb == "step" else None, used, tiles)
        for each in functions
    ]


def network_name(file: Path) -> str:
    """The name of a network, which is that of its file.

    Raises:
        GraphError: it cannot be a name in C.
    """
    rule = "export_c: the file's name is the network's name in C, such as disk in build/disk.c"
    name = file.stem
    if file.suffix not in (".c", "") or file.is_dir():
        raise GraphError(f"{rule}; got {str(file)!r}. Give the path of a file that ends in .c.")
    if not IDENTIFIER.fullmatch(name):
        raise GraphError(
            f"{rule}: a letter, then letters, digits and _; got {name!r}. For example "
            f"{suggestion(name)}.c."
        )
    if name in KEYWORDS:
        raise GraphError(f"{rule}; {name!r} is a word of C itself. For example {name}_net.c.")
    if name in STANDARD_HEADERS:
        raise GraphError(
            f"{rule}; {name}.h would hide a header of C with that name. For example {name}_net.c."
        )
    return name


def suggestion(name: str) -> str:
    """A name in C that is close to another one.

    >>> suggestion("my-net"), suggestion("2 rooms")
    ('my_net', 'net_2_rooms')
    """
    made = identifier(name, set(KEYWORDS))
    return made.replace("layer", "net_", 1) if name[:1].isdigit() else made


def _listed(nodes: Node | Sequence[Node]) -> list[Node]:
    return [nodes] if isinstance(nodes, Node) else list(nodes)
