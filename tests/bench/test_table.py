"""`python -m graphnet.bench`: the table as it is printed and written, and what goes wrong."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from dataclasses import asdict

import pytest
import torch

from graphnet.bench import __main__ as command
from graphnet.bench import costs, report, single, worker
from graphnet.bench.networks import NETWORKS
from graphnet.bench.turns import Effort, Measured, measure, started, take_turns, taking_part
from graphnet.bench.worker import Entry, Job

PAGE = f"# Title\n\n{report.BEGIN}\nold\n{report.END}\n\nend\n"


@pytest.fixture(autouse=True)
def _settings_of_torch():
    """Restore in this process what the benchmark sets in its own."""
    threads = torch.get_num_threads()
    with torch.set_grad_enabled(torch.is_grad_enabled()):
        yield
    torch.set_num_threads(threads)


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


@pytest.mark.slow
def test_the_quick_table_of_the_disk_network(tmp_path, monkeypatch, capsys):
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    options = ["--quick", "--networks", "disk-50", "--no-costs", "--write", "--page", str(page)]
    names = ["walk", "program", "torch.nn"]
    monkeypatch.setattr(sys, "argv", ["bench", *options, "--contestants", *names])
    assert command.main() == 0
    printed = capsys.readouterr().out.strip()
    written = page.read_text(encoding="utf-8")
    assert written == f"# Title\n\n{report.BEGIN}\n\n{printed}\n\n{report.END}\n\nend\n"
    rows = [cells(line) for line in written.splitlines() if line.startswith("|")]
    assert rows[0][:4] == ["network", "walk, µs", "program, µs", "torch.nn, µs"]
    assert rows[0][-1] == "distance of parameters"
    assert len(rows) == 3
    row = dict(zip(rows[0], rows[2], strict=True))
    assert row["network"] == "disk, batch 50"
    _, ours, theirs = (float(row[f"{name}, µs"].replace(",", "")) for name in names)
    assert 0 < ours < theirs
    ratio = row["program / torch.nn"]
    assert float(ratio) == pytest.approx(ours / theirs, abs=0.05)
    assert row["program / best peer"] == f"{ratio} (torch.nn)"
    assert row["many / JAX scan"] == "—"  # neither takes part
    shares = row["program's share of the limit"], row["best peer's share"]
    assert all(re.fullmatch(r"\d+%", text) for text in shares)
    assert 0 < float(row["distance of parameters"]) < 1e-3  # 2e-5, the rounding of small updates
    assert "- torch.nn: disk-50: optimizer" in written
    assert re.match(r"\d{4}-\d\d-\d\d, .*torch", printed)


def test_each_network_has_its_contestants():
    asked = ["program", "channels last", "JAX jit", "JAX scan"]
    assert taking_part(NETWORKS["disk-50"], asked) == ["program", "JAX jit", "JAX scan"]
    assert taking_part(NETWORKS["pairs"], asked) == ["program", "channels last", "JAX jit"]


@pytest.mark.slow
def test_jax_is_asked_in_its_own_process():
    """With JAX it takes part, without it the table says how to get it."""
    measured = measure(NETWORKS["disk-50"], 1, ["torch.nn", "JAX jit"], Effort(1, 0.001, 2))
    entry = measured.entries["JAX jit"]
    if entry.missing:
        assert "pip install" in entry.missing
        assert measured.peers == ["torch.nn"]
    else:
        assert entry.version.startswith("jax ")
        assert set(measured.peers) == {"torch.nn", "JAX jit"}
    assert measured.wrong == []


MEASURED = Measured(
    NETWORKS["disk-50"],
    2,
    {"walk": 4e-4, "program": 1e-4, "many": 5e-5, "torch.nn": 3e-4, "torch.compile": 2e-4},
    {
        **dict.fromkeys(("walk", "program", "many"), Entry()),
        "torch.nn": Entry("optimizer fused"),
        "torch.compile": Entry("whole step"),
        "JAX jit": Entry(missing="not here"),
    },
    {"walk": 1e-6, "program": 2e-6, "torch.nn": 1e-6, "torch.compile": 0.5},
    1e11,
    "measured somehow",
)


def test_a_table_says_ratios_forms_and_who_is_wrong():
    names = ["walk", "program", "torch.nn", "channels last", "torch.compile", "JAX jit"]
    text = report.table([MEASURED], names)
    row = cells(next(line for line in text.splitlines() if line.startswith("| disk")))
    assert row[1:7] == ["400", "100", "300", "—", "200", "—"]
    assert row[7:9] == ["0.33", "0.50 (torch.compile)"]
    share = NETWORKS["disk-50"].operations / 1e-4 / 1e11
    assert row[9] == "—"  # JAX is not here
    assert row[10:12] == [f"{share:.0%}", f"{share / 2:.0%}"]
    assert row[12] == "5e-01: torch.compile differ"
    assert "### 2 threads" in text
    assert "100 to 100 billion" in text
    assert "- torch.compile: disk-50: whole step." in text
    assert "- JAX jit: disk-50: missing (not here)." in text
    assert "channels last:" not in text


def test_several_steps_in_one_call_stand_beside_those_of_jax():
    seconds = {"many": 1e-5, "JAX scan": 4e-5}
    alone = Measured(NETWORKS["disk-50"], 1, seconds, {}, {"many": 0}, 1e9, "")
    texts = list(report.row(alone, ["many", "JAX scan"]).values())
    assert texts[1:6] == ["10", "40", "—", "—", "0.25"]


def test_a_table_without_the_program_has_no_ratios():
    alone = Measured(NETWORKS["disk-50"], 1, {"walk": 1.0}, {"walk": Entry()}, {"walk": 0}, 1e9, "")
    assert list(report.row(alone, ["walk"]).values())[2:7] == ["—"] * 5


def test_parameters_that_differ_are_an_exit_code(monkeypatch, capsys):
    monkeypatch.setattr(command, "measure", lambda *arguments: MEASURED)
    monkeypatch.setattr(sys, "argv", ["bench", "table", "--networks", "disk-50", "--no-costs"])
    assert command.main() == 1
    assert "torch.compile differ" in capsys.readouterr().out


def test_a_page_without_markers_is_refused():
    with pytest.raises(ValueError, match="The page needs"):
        report.written("nothing", "new")


def test_a_worker_answers_each_line(tmp_path, monkeypatch):
    from graphnet.bench.networks import write_workload

    monkeypatch.setattr(worker, "pinned", lambda threads: None)
    monkeypatch.setattr(worker, "CHOICE", 0.0)
    write_workload(NETWORKS["disk-50"], tmp_path)
    job = Job("torch", "disk-50", ["walk", "limit"], str(tmp_path), 1, 2)
    lines = [asdict(job), {"name": "walk", "steps": 2}, {"name": "limit", "steps": 1}]
    replies = io.StringIO()
    worker.serve(io.StringIO("".join(json.dumps(line) + "\n" for line in lines)), replies)
    entries, *seconds = [json.loads(line) for line in replies.getvalue().splitlines()]
    assert list(entries) == ["walk", "limit"]
    assert entries["limit"]["operations"] > 0
    assert all(each > 0 for each in seconds)
    assert [path.name for path in tmp_path.glob("walk-*")] == ["walk-0.safetensors"]


def test_what_needs_a_compiler_may_be_missing(tmp_path):
    job = Job("torch", "disk-50", [], str(tmp_path), 1, 2)
    from graphnet.bench.networks import write_workload

    write_workload(NETWORKS["disk-50"], tmp_path)
    helper = worker.Worker(job)

    def fails():
        raise RuntimeError("no compiler\nof any kind")

    helper._try("torch.compile", fails)
    assert helper.entries["torch.compile"].missing == "RuntimeError: no compiler"


def test_a_worker_that_fails_says_why(tmp_path):
    job = Job("torch", "no such network", ["walk"], str(tmp_path), 1, 2)
    with pytest.raises(RuntimeError, match="no such network"), started(job):
        pass


def test_turns_alternate_and_the_median_counts():
    made = []

    class Clock:
        def __init__(self, name, seconds):
            self.name, self.seconds = name, iter(seconds)

        def turn(self, name, steps):
            made.append((name, steps))
            return next(self.seconds) * steps

    players = {"a": Clock("a", [0.5, 1, 9, 2]), "b": Clock("b", [2, 3, 4, 5])}
    assert take_turns(players, Effort(turns=3, seconds=1)) == {"a": 2, "b": 4}
    assert made == [("a", 1), ("b", 1), *[("a", 2), ("b", 1)] * 3]


# costs


@pytest.mark.slow
def test_costs_are_measured_in_processes_of_their_own():
    command = [sys.executable, "-W", "ignore", "-m", "graphnet.bench.costs", "program", "disk-50"]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=300)
    assert 1e5 < float(result.stdout) < 1e9  # bytes


def test_compiling_takes_longer_than_a_step():
    assert costs.compiling(NETWORKS["disk-50"], tune=False) > 1e-3


def test_costs_are_medians(monkeypatch):
    outputs = iter(["10", "20", "0.3", "0.1", "30", "40", "0.5", "0.1", "20", "90", "0.4", "0.2"])

    def run(command, **options):
        return subprocess.CompletedProcess(command, 0, next(outputs), "")

    monkeypatch.setattr(costs.subprocess, "run", run)
    found = costs.costs("mlp-1024", "lenet", 3)
    assert found["memory of the program"] == 20
    text = report.cost_lines(found | {"memory of torch.nn": 40.0}, "D", "L")
    assert "ratio 0.50" in text
    assert "0.10 s without tuning, 0.40 s with it" in text


# within one process


@pytest.mark.parametrize(
    ("measurement", "part"),
    [
        (lambda: single.walk(turns=1, steps=1), "a training step of 2-25-25-25-2"),
        (lambda: single.nodes(10, 20), "building, walking, differentiating"),
        pytest.param(
            lambda: single.imports(turns=1),
            "import graphnet after import torch",
            marks=pytest.mark.slow,
        ),
        (lambda: single.convolution(turns=1), "conv2d forward and backward"),
    ],
    ids=["walk", "list", "import", "conv"],
)
def test_the_other_measurements_print_their_figures(measurement, part, capsys):
    assert single.run(measurement) == 0
    assert part in capsys.readouterr().out


@pytest.mark.parametrize("name", ["walk", "list", "import", "conv"])
def test_a_measurement_runs_under_its_name(name, monkeypatch):
    ran = []
    monkeypatch.setattr(single, "run", lambda measurement: ran.append(measurement) or 0)
    monkeypatch.setattr(sys, "argv", ["bench", name])
    assert command.main() == 0
    known = {"walk": single.walk, "list": single.nodes, "import": single.imports}
    assert ran == [known.get(name, single.convolution)]
