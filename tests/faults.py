"""Seed faults into copies of the package, and count how many of them the tests catch.

python tests/faults.py              all faults
python tests/faults.py --short      three of them
python tests/faults.py plan circle  those whose file, owner or tests contain one of these words

Each fault in the folder `seeds` is one small change in one class or function. It is made in a copy
of the package in a temporary folder, where the tests that it names then run; the checkout itself
is only read. A fault that makes these tests hang counts as caught, and is reported as hanging.
"""

from __future__ import annotations

import argparse
import ast
import multiprocessing
import os
import shutil
import sys
import tempfile
from multiprocessing.connection import wait
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from seeds.fault import Fault
from seeds.modules import MODULES
from seeds.operations import OPERATIONS
from seeds.programs import PROGRAMS
from seeds.steps import STEPS
from seeds.trainings import TRAININGS

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = [*STEPS, *PROGRAMS, *MODULES, *TRAININGS]
"""Faults of kinds that graphnet once had."""

FAULTS = [*OPERATIONS, *PACKAGE]
SHORT = [OPERATIONS[0], PROGRAMS[0], TRAININGS[0]]

SECONDS = 60
"""How long the tests of one fault may take; none needs a tenth of it on an idle machine."""

MEMORY = 4 * 2**30
"""Bytes that they may take: an infinite walk would fill the machine's memory."""

OF_OPERATIONS = "ops/test_kinks.py test_properties.py test_losses.py"
"""The slower tests of operations, for faults that their rows do not catch."""

CAUGHT = "caught", "hangs"


class Result(NamedTuple):
    """The result for a fault.

    Attributes:
        verdict: "caught", "hangs", "escaped", "outdated" or "not run".
        text: the test that caught it, or why it was not run.
        seconds: how long it took.
    """

    fault: Fault
    verdict: str
    text: str
    seconds: float


def seeded(fault: Fault, folder: Path) -> tuple[Path, str]:
    """The file that a fault is in, and its source with the fault."""
    first = fault.owner.partition(".")[0]
    for path in sorted((folder / "graphnet").glob(fault.file or "ops/*.py")):
        source = path.read_text(encoding="utf-8")
        if first not in source:  # searching for words is faster than parsing
            continue
        node = _owner(ast.parse(source), fault.owner.split("."))
        if node is None:
            continue
        lines = source.splitlines(keepends=True)
        before = "".join(lines[: node.lineno - 1])
        inside = "".join(lines[node.lineno - 1 : node.end_lineno])
        start = ast.get_docstring(node, clean=False)
        head = inside.index(start) + len(start) if start else 0
        if fault.old in inside[head:]:
            inside = inside[:head] + inside[head:].replace(fault.old, fault.new, 1)
            changed = before + inside + "".join(lines[node.end_lineno :])
            ast.parse(changed)
            return path, changed
    raise LookupError(f"the source has changed: {fault.owner} has no {fault.old!r}")


def _owner(node: Any, names: list[str]) -> Any:
    """The class, function or method of this name; None if there is none."""
    for name in names:
        node = next((each for each in node.body if getattr(each, "name", None) == name), None)
        if node is None:
            return None
    return node


class Trial:
    """The tests of one fault, in a process of its own that works on its own copy."""

    def __init__(self, number: int, fault: Fault, folder: Path) -> None:
        self.fault = fault
        self.clean, self.copy = folder / "clean", folder / f"fault{number}"
        self.result: Result | None = None

    def start(self, context: Any) -> None:
        """Seed the fault, and start the tests."""
        self.began = perf_counter()
        path, source = seeded(self.fault, self.clean)
        shutil.copytree(self.clean, self.copy)
        (self.copy / path.relative_to(self.clean)).write_text(source, encoding="utf-8")
        self.process = context.Process(target=judge, args=(self.copy, self.fault))
        self.process.start()

    def ended(self) -> bool:
        """True if there is a result; tests that take too long are ended here."""
        hangs = perf_counter() - self.began > SECONDS
        if self.process.is_alive() and not hangs:
            return False
        self.process.kill()
        self.process.join()
        answer = self.copy / "verdict"
        if hangs:
            self._conclude("hangs", f"ended after {SECONDS} s")
        elif answer.exists():
            self._conclude(*answer.read_text(encoding="utf-8").split("\n", 1))
        else:
            self._conclude("caught", f"the process ended with {self.process.exitcode}")
        shutil.rmtree(self.copy)
        return True

    def _conclude(self, verdict: str, text: str) -> None:
        self.result = Result(self.fault, verdict, text, perf_counter() - self.began)


def judge(copy: Path, fault: Fault) -> None:
    """In a separate process: run the tests on a copy, and write the result into it."""
    import resource  # which Windows lacks

    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    output = os.open(copy / "output", os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    (copy / "verdict").write_text("\n".join(_verdict(copy, fault)), encoding="utf-8")


def _verdict(copy: Path, fault: Fault) -> tuple[str, str]:
    """Whether a test fails, and which."""
    os.chdir(copy)
    sys.path[:0] = [str(copy), str(copy / "tests")]
    try:
        import graphnet
    except Exception as error:
        return "caught", f"import graphnet: {type(error).__name__}"
    if not Path(graphnet.__file__).is_relative_to(copy):
        return "not run", "the tests would see the checkout"
    some = False
    for tests, words in _rounds(fault):
        code, failed = _run_tests(copy, tests, words)
        if code in (1, 2, 3):  # a test failed, could not be collected, or was too much for pytest
            return "caught", failed
        some |= code == 0
        if code not in (0, 5):  # 5: no test has these words
            return "not run", f"pytest ended with {code}"
    return ("escaped", "") if some else ("not run", "no test has these words")


def _rounds(fault: Fault) -> list[tuple[str, str]]:
    """Which test files to run one after the other, and the words that select tests in them.

    Of an operation the rows come first, the slower tests only if these are content.
    """
    if fault.tests:
        return [(fault.tests, fault.words)]
    return [("ops/test_cases.py", fault.words or fault.owner), (OF_OPERATIONS, "")]


class _Failed:
    """A pytest plugin that notes what has failed."""

    name = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note a test."""
        self._note(report)

    def pytest_collectreport(self, report: Any) -> None:
        """Note a file that could not be collected."""
        self._note(report)

    def _note(self, report: Any) -> None:
        if report.failed:
            self.name = self.name or report.nodeid


def _run_tests(copy: Path, tests: str, words: str) -> tuple[int, str]:
    """The exit code of pytest, and the first test that failed."""
    import pytest

    failed = _Failed()
    common = ["-q", "-x", "-n0", "-p", "no:cacheprovider", "--no-header", f"--rootdir={copy}"]
    files = [f"tests/{name}" for name in tests.split()]
    code = pytest.main([*common, *files, "-k", words], plugins=[failed])
    return int(code), failed.name


def run(faults: list[Fault], processes: int = 2) -> list[Result]:
    """The result for each fault."""
    import pytest  # noqa: F401 - once, before the processes are forked
    import torch

    torch.set_num_threads(1)
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory(prefix="faults") as name:
        folder = Path(name)
        _copy_checkout(folder / "clean")
        trials = [Trial(number, fault, folder) for number, fault in enumerate(faults)]
        waiting, running = trials[::-1], list[Trial]()
        while waiting or running:
            while waiting and len(running) < processes:
                running += _started(waiting.pop(), context)
            wait([trial.process.sentinel for trial in running], timeout=1)
            running = [trial for trial in running if not trial.ended()]
    return [trial.result for trial in trials if trial.result is not None]


def _started(trial: Trial, context: Any) -> list[Trial]:
    """The trial, unless it already has a result: then its source is no longer there."""
    try:
        trial.start(context)
    except LookupError as error:
        trial.result = Result(trial.fault, "outdated", str(error), 0.0)
        return []
    return [trial]


def _copy_checkout(folder: Path) -> None:
    """Copy what the tests need."""
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    for part in ("graphnet", "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)


def _chosen(words: list[str], short: bool) -> list[Fault]:
    """The chosen faults."""
    if short:
        return SHORT
    texts = [(fault, f"{fault.owner} {fault.file} {fault.tests}".lower()) for fault in FAULTS]
    return [fault for fault, text in texts if not words or any(w.lower() in text for w in words)]


def main() -> int:
    """Run the faults, and print what was caught; 0 if all of them were."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="only faults with one of these words")
    parser.add_argument("--short", action="store_true", help="three faults only")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    start = perf_counter()
    results = run(_chosen(options.words, options.short), options.processes)
    for fault, verdict, text, seconds in results:
        change = f"{fault.owner}: {fault.old!r} -> {fault.new!r}"
        print(f"{verdict:8} {seconds:4.0f} s  {change}  {text}".rstrip())
    caught = sum(result.verdict in CAUGHT for result in results)
    share = 100 * caught / max(len(results), 1)
    seconds = perf_counter() - start
    print(f"{caught} of {len(results)} faults are caught: {share:.1f} %, in {seconds:.0f} s")
    return 0 if caught == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
