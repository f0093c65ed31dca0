"""Seed faults into copies of the operations, and count how many of them the tests catch.

python tests/faults.py              all faults
python tests/faults.py --short      three of them

Each fault is one small change in one class or function. It is made in a copy of the package in a
temporary folder, where the tests of that operation then run; the checkout itself is only read.
"""

from __future__ import annotations

import argparse
import ast
import multiprocessing
import os
import shutil
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Fault(NamedTuple):
    """A change of the source of one class or function in graphnet/ops."""

    owner: str
    old: str
    new: str
    tests: str = ""
    """Words that select the rows; the name of the owner where empty."""


FAULTS = [
    # a sign
    Fault("Sub", "return -grad", "return grad"),
    Fault("Neg", "return -grad", "return grad"),
    Fault("Tanh", "1 - top * top", "1 + top * top"),
    Fault("Sigmoid", "1 - top)", "1 + top)"),
    Fault("Div", "return -grad", "return grad"),
    Fault("Log1p", "(x + 1)", "(x - 1)"),
    Fault("SquaredError", "target - x)", "x - target)"),
    Fault("BinaryCrossEntropy", "(x - target) /", "(target - x) /"),
    # a factor
    Fault("Sqrt", "(2 * top)", "top"),
    Fault("SquaredError", "(2 * (x - target))", "(x - target)"),
    Fault("PowScalar", "self.exponent * x", "x"),
    Fault("PowScalar", "self.exponent - 1)", "self.exponent)"),
    Fault("Mean", "grad = grad / count(x_like, dim)", "pass"),
    Fault("Mean", "count(x_like, dim)", "(count(x_like, dim) - 1)"),
    Fault("Maximum", "grad / 2, grad).masked_fill(x < y", "grad, grad).masked_fill(x < y"),
    # a missing grad, a wrong value, a forgotten square
    Fault("Exp", "return grad * top", "return top"),
    Fault("Tanh", "return grad * (1 - top * top)", "return 1 - top * top"),
    Fault("Tanh", "1 - top * top", "1 - top"),
    Fault("Mul", "return grad * y", "return grad"),
    Fault("Div", "((x / y) / y)", "(x / y)"),
    Fault("Log", "return grad / x", "return grad * x"),
    Fault("Abs", "grad * x.sign()", "grad * x"),
    Fault("Exponential", "log(self.base) if", "self.base if"),
    Fault("Pow", "(y * x ** (y - 1))", "(y * x ** y)"),
    Fault("Pow", "top * x.log()", "top * y.log()"),
    # transposed, swapped
    Fault("Matmul", "grad.matmul(y.mT)", "grad.matmul(y)"),
    Fault("Matmul", "x.mT.matmul(grad)", "x.matmul(grad)"),
    Fault("Linear", "grad.matmul(weight)", "grad.matmul(weight.mT)"),
    Fault("Linear", "_rows(grad).mT.matmul(_rows(x))", "_rows(x).mT.matmul(_rows(grad))"),
    Fault("Vecmat", "(grad.unsqueeze(-2) * y)", "(grad.unsqueeze(-2) + y)"),
    Fault("Transpose", "grad.transpose(self.dim0, self.dim1)", "grad"),
    Fault("Permute", "place[dim] for", "self.dims[dim] for"),
    Fault("Where", "condition, grad, 0.0)", "condition, 0.0, grad)"),
    # a missing sum
    Fault("Linear", "_rows(grad).sum(0)", "_rows(grad)[0]"),
    Fault("Vecmat", "* y).sum(-1)", "* y).mean(-1)"),
    Fault("Add", "broadcasts = True", "broadcasts = False"),
    Fault("Mul", "broadcasts = True", "broadcasts = False"),
    Fault("Matmul", "broadcasts = True", "broadcasts = False"),
    Fault("Expand", "return sum_as(grad, x_like)", "return grad"),
    Fault("ExpandAs", "return sum_as(grad, x_like)", "return grad"),
    Fault("SumAs", "return expand_as(grad, x_like)", "return grad"),
    # > for >=, and other kinks
    Fault("Relu", "top <= 0", "top < 0"),
    Fault("Ge", "x.ge(y)", "x.gt(y)"),
    Fault("Gt", "x.gt(y)", "x.ge(y)"),
    Fault("Le", "x.le(y)", "x.lt(y)"),
    Fault("Eq", "x.eq(y)", "x.ne(y)"),
    Fault("MaskedFill", "grad.masked_fill(mask, 0.0)", "grad"),
    Fault("BinaryCrossEntropy", ".clamp(min=-100) - target", ".clamp(min=-10) - target"),
    Fault("BinaryCrossEntropy", ".clamp(min=_LEAST_VARIANCE)", ""),
    # a mutated input
    Fault("Relu", "return x.relu()", "return x.relu_()"),
    Fault("Add", "return x + y", "return x.add_(y)"),
    Fault("Exp", "return x.exp()", "return x.exp_()"),
    Fault("Tanh", "return x.tanh()", "return x.tanh_()"),
    # a dropped argument, a wrong option, off by one
    Fault("Sum", "x.sum(self.dims, self.keepdim)", "x.sum(self.dims)"),
    Fault("Sum", "restore_dims(grad, self.dims, self.keepdim)", "grad"),
    Fault("Mean", "x.mean(self.dims, self.keepdim)", "x.mean(self.dims)"),
    Fault("Mean", "if self.nonempty and not", "if not", "Mean"),
    Fault("Clamp", "x.clamp(self.min, self.max)", "x.clamp(self.min)"),
    Fault("Unsqueeze", "x.unsqueeze(self.dim)", "x.unsqueeze(self.dim - 1)"),
    Fault("Size", "x_like.size(self.dim)", "x_like.size(self.dim - 1)"),
    Fault("count", "max(known, 1)", "known", "Mean or Sum"),
    Fault("Reshape", "x.reshape(self.shape)", "x.reshape(self.shape[::-1])"),
    # precision, and what holds for nodes
    Fault("Sqrt", "return x.sqrt()", "return x.float().sqrt()"),
    Fault("Exp", "return x.exp()", "return x.double().exp()"),
    Fault("Size", ".long() *", ".float() *", "Size or Mean"),
]
SHORT = [FAULTS[place] for place in (0, 25, 49)]


def seeded(fault: Fault, folder: Path) -> tuple[Path, str]:
    """The file that a fault is in, and its source with the fault."""
    for path in sorted((folder / "graphnet" / "ops").glob("*.py")):
        source = path.read_text(encoding="utf-8")
        if fault.owner not in source:  # reading words is faster than parsing
            continue
        for node in ast.parse(source).body:
            if getattr(node, "name", None) != fault.owner:
                continue
            lines = source.splitlines(keepends=True)
            before = "".join(lines[: node.lineno - 1])
            inside = "".join(lines[node.lineno - 1 : node.end_lineno])
            start = ast.get_docstring(node, clean=False)
            head = inside.index(start) + len(start) if start else 0
            if fault.old in inside[head:]:
                inside = inside[:head] + inside[head:].replace(fault.old, fault.new, 1)
                ast.parse(inside)
                return path, before + inside + "".join(lines[node.end_lineno :])
    raise LookupError(f"the source has changed: {fault.owner} has no {fault.old!r}")


def judge(job: tuple[str, int, Fault]) -> tuple[str, str]:
    """Run in a process of its own: seed one fault, run the tests, say what came out."""
    folder, number, fault = Path(job[0]), job[1], job[2]
    copy = folder / f"fault{number}"
    try:
        path, source = seeded(fault, folder / "clean")
    except LookupError as error:
        return "outdated", str(error)
    shutil.copytree(folder / "clean", copy)
    (copy / path.relative_to(folder / "clean")).write_text(source, encoding="utf-8")
    output = os.open(copy / "output", os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    result = _run_tests(copy, fault)
    shutil.rmtree(copy)
    return result, ""


def _run_tests(copy: Path, fault: Fault) -> str:
    """ "caught" if a test fails; the rows first, the slower tests only if these are content."""
    import pytest

    os.chdir(copy)
    sys.path[:0] = [str(copy), str(copy / "tests")]
    try:
        import graphnet
    except Exception:
        return "caught"
    if not Path(graphnet.__file__).is_relative_to(copy):
        return "not run: the tests would see the checkout"
    common = ["-q", "-x", "-n0", "-p", "no:cacheprovider", "--no-header", f"--rootdir={copy}"]
    rows = ["tests/ops/test_cases.py", "-k", fault.tests or fault.owner]
    rest = ["tests/ops/test_kinks.py", "tests/test_properties.py", "tests/test_losses.py"]
    for tests in (rows, rest):
        code = int(pytest.main([*common, *tests]))
        if code not in (0, 5):  # 5: no row has that name
            return "caught"
    return "escaped"


def run(faults: list[Fault], processes: int = 2) -> list[tuple[Fault, str, str]]:
    """What came out for each fault."""
    import pytest  # noqa: F401 - once, before the processes are forked
    import torch

    torch.set_num_threads(1)
    folder = Path(tempfile.mkdtemp(prefix="faults"))
    try:
        clean = folder / "clean"
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(ROOT / "graphnet", clean / "graphnet", ignore=ignored)
        shutil.copytree(ROOT / "tests", clean / "tests", ignore=ignored)
        for name in ("pyproject.toml",):
            shutil.copy(ROOT / name, clean)
        jobs = [(str(folder), number, fault) for number, fault in enumerate(faults)]
        context = multiprocessing.get_context("fork")
        with context.Pool(processes, maxtasksperchild=1) as pool:
            results = pool.map(judge, jobs, chunksize=1)
    finally:
        shutil.rmtree(folder)
    return [(fault, *result) for fault, result in zip(faults, results, strict=True)]


def main() -> int:
    """Run the faults, and print what was caught; 0 if it is 95 % or more."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="three faults only")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    start = perf_counter()
    results = run(SHORT if options.short else FAULTS, options.processes)
    for fault, verdict, text in results:
        print(f"{verdict:9} {fault.owner}: {fault.old!r} -> {fault.new!r} {text}".rstrip())
    caught = sum(verdict == "caught" for _, verdict, _ in results)
    share = 100 * caught / len(results)
    seconds = perf_counter() - start
    print(f"{caught} of {len(results)} faults are caught: {share:.1f} %, in {seconds:.0f} s")
    return 0 if share >= 95 else 1


if __name__ == "__main__":
    sys.exit(main())
