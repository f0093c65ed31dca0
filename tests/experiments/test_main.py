"""`python test.py` as a user runs it: options, records, files, and what goes wrong."""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from unittest import mock

import pytest
import torch
from safetensors.torch import load_file, save_file

import graphnet as gn

ROOT = Path(__file__).parents[2]


def run(*arguments: object) -> tuple[int, str, str]:
    """Run test.py in this process: exit code, standard output, standard error."""
    output, errors = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        mock.patch.object(sys, "argv", ["test.py", *map(str, arguments)]),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        torch.set_grad_enabled(torch.is_grad_enabled()),  # restore what test.py turns off
    ):
        try:
            runpy.run_path(str(ROOT / "test.py"), run_name="__main__")
        except SystemExit as end:
            code = end.code
    if isinstance(code, str):  # what Python itself does with a text
        errors.write(f"{code}\n")
        code = 1
    return int(str(code)), output.getvalue(), errors.getvalue()


def record(path: Path, *arguments: object) -> dict:
    code, _, errors = run(*arguments, "--quiet", "--json", path)
    assert code == 0, errors
    return json.loads(path.read_text(encoding="utf-8"))


def test_it_shows_the_list_a_table_and_the_errors(tmp_path: Path) -> None:
    """In a separate process, from another folder, under -O."""
    # Old versions of torch warn if numpy is missing.
    command = [sys.executable, "-O", "-W", "ignore", str(ROOT / "test.py"), "--epochs", "30"]
    result = subprocess.run(
        command, capture_output=True, encoding="utf-8", cwd=tmp_path, check=False
    )
    assert result.returncode == 0
    assert "linear(x, 0.weight, 0.bias)" in result.stdout
    assert "1,427 parameters" in result.stdout
    assert "epoch    loss" in result.stdout
    lines = result.stdout.strip().splitlines()
    assert lines[-2].startswith("train error")
    assert lines[-1].startswith("test error")
    assert float(lines[-1].split()[-1].rstrip("%")) < 4
    assert "loss=" in result.stderr  # the progress bar


def test_quiet_prints_only_the_errors() -> None:
    code, output, errors = run("--epochs", 1, "--quiet")
    assert code == 0
    assert [line.split()[0] for line in output.splitlines()] == ["train", "test"]
    assert errors == ""


def test_the_record_holds_settings_losses_and_errors(tmp_path: Path) -> None:
    data = record(tmp_path / "r.json", "--epochs", 3, "--rounds", 2, "--seed", 5)
    assert data["settings"]["hidden"] == [25, 25, 25]
    assert data["settings"]["epochs"] == 3
    assert [each["seed"] for each in data["rounds"]] == [5, 6]
    for each in data["rounds"]:
        assert len(each["losses"]) == 3
        assert each["losses"][-1] < each["losses"][0]
        assert 0 <= each["test_error"] <= 1
        assert 0 <= each["train_error"] <= 1
        assert each["seconds"] > 0
    errors = [each["test_error"] for each in data["rounds"]]
    assert data["test_error"]["mean"] == pytest.approx(sum(errors) / 2)
    assert data["test_error"]["std"] == pytest.approx(abs(errors[0] - errors[1]) / 2**0.5)


def test_the_same_seed_gives_the_same_numbers(tmp_path: Path) -> None:
    once = record(tmp_path / "a.json", "--epochs", 2, "--seed", 3)
    again = record(tmp_path / "b.json", "--epochs", 2, "--seed", 3)
    assert once["rounds"][0]["losses"] == again["rounds"][0]["losses"]


OPTIONS = [
    ("--optimizer", "adam", "--lr", 0.01),
    ("--loss", "bce"),
    ("--activation", "relu", "--init", "kaiming", "--lr", 0.05),
    ("--init", "default"),
    ("--init", "xavier-normal"),
    ("--init", "kaiming-normal"),
    ("--schedule", "constant", "--momentum", 0),
    ("--schedule", "step"),
    ("--schedule", "one-cycle"),
    ("--hidden", "10,5"),
    ("--hidden", ""),
    ("--batch-size", 103),  # does not divide 1,000
    ("--batch-size", 5000),
    ("--accumulate", 3),
    ("--accumulate", 1000),
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "=".join(map(str, options)))
def test_every_option_trains(options: tuple[object, ...], tmp_path: Path) -> None:
    data = record(tmp_path / "r.json", "--epochs", 3, *options)
    losses = data["rounds"][0]["losses"]
    assert losses[-1] < losses[0]


def test_accumulating_batches_is_training_on_their_union(tmp_path: Path) -> None:
    """5 batches of 200 make one of 1,000; the order of points does not matter to a full batch."""
    settings = ("--epochs", 4, "--schedule", "constant")
    whole = record(tmp_path / "a.json", *settings, "--batch-size", 1000)
    parts = record(tmp_path / "b.json", *settings, "--batch-size", 200, "--accumulate", 5)
    # float32 sums in another order
    assert parts["rounds"][0]["losses"] == pytest.approx(whole["rounds"][0]["losses"], rel=1e-4)


@pytest.mark.parametrize(
    "options",
    [(), ("--optimizer", "adam", "--lr", 0.01), ("--loss", "bce"), ("--accumulate", 3)],
    ids=lambda options: "=".join(map(str, options)) or "default",
)
@pytest.mark.parametrize("size", [103, pytest.param(50, marks=pytest.mark.slow)])
def test_the_program_trains_as_the_walk_does(
    size: int, options: tuple[object, ...], tmp_path: Path
) -> None:
    """103 does not divide 1,000: the last batch, and the last group of batches, are smaller."""
    settings = ("--epochs", 4, "--batch-size", size, *options)
    program = record(tmp_path / "a.json", *settings)
    walk = record(tmp_path / "b.json", *settings, "--no-compile")
    assert program["settings"]["compile"] is True
    assert walk["settings"]["compile"] is False
    # float32 sums in another order: 6e-8 in each of some hundred updates, which training enlarges
    assert program["rounds"][0]["losses"] == pytest.approx(walk["rounds"][0]["losses"], rel=1e-4)
    for name in ("train_error", "test_error"):
        assert program["rounds"][0][name] == pytest.approx(walk["rounds"][0][name], abs=0.002)


def test_saved_weights_are_evaluated_again(tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    trained = record(tmp_path / "a.json", "--epochs", 5, "--save", weights)
    loaded = record(tmp_path / "b.json", "--load", weights)
    for name in ("train_error", "test_error"):
        assert loaded["rounds"][0][name] == trained["rounds"][0][name]
    assert loaded["rounds"][0]["losses"] == []
    assert load_file(weights)["0.weight"].shape == (25, 2)


@pytest.mark.parametrize("how", ["--compile", "--no-compile"])
def test_a_loss_that_is_not_finite_stops_before_the_update(how: str) -> None:
    code, _, errors = run("--epochs", 3, "--lr", 1e30, how)
    assert code == 1
    message = errors.strip().splitlines()[-1]
    for part in ("Step 1", "the loss is", "node 17", "squared_error", "6.linear", "learning rate"):
        assert part in message


def damaged(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.safetensors"
    model = gn.Sequential(gn.Linear(2, 25), gn.Tanh(), gn.Linear(25, 2))
    gn.save_weights(model, path)
    if kind == "missing":
        path.unlink()
    elif kind == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    elif kind == "nonsense":
        path.write_bytes(b"not tensors at all")
    elif kind == "renamed":
        save_file({f"x.{name}": value for name, value in load_file(path).items()}, path)
    return path


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("missing", ["cannot be read"]),
        ("truncated", ["not an intact safetensors file"]),
        ("nonsense", ["not an intact safetensors file"]),
        ("mismatched", ["2.weight", "(2, 25)", "(25, 25)", "4.bias", "6.weight", "nothing was"]),
        ("renamed", ["0.weight: missing", "x.0.weight: unknown"]),
    ],
)
def test_loading_a_bad_file_is_one_clear_error(kind: str, parts: list[str], tmp_path: Path) -> None:
    code, _, errors = run("--load", damaged(tmp_path, kind))
    assert code == 1
    for part in parts:
        assert part in errors


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--epochs", "0"), "must be an integer of 1 or more"),
        (("--lr", "fast"), "must be a finite number of 0 or more"),
        (("--lr", "nan"), "must be a finite number of 0 or more"),
        (("--hidden", "25,x"), "must be an integer of 1 or more"),
        (("--optimizer", "sdg"), "invalid choice"),
        (("--save", "no/such/folder/w.safetensors"), "does not exist"),
        (("--json", "no/such/folder/r.json"), "does not exist"),
    ],
)
def test_a_wrong_option_ends_at_once(arguments: tuple[str, ...], part: str) -> None:
    code, _, errors = run(*arguments)
    assert code != 0
    assert part in errors


@pytest.mark.slow
def test_the_default_settings_reach_their_error(tmp_path: Path) -> None:
    data = record(tmp_path / "r.json", "--rounds", 20)
    assert data["test_error"]["mean"] <= 0.013
    assert data["test_error"]["std"] <= 0.005
    plain = ("--momentum", 0, "--schedule", "constant", "--epochs", 100)
    assert record(tmp_path / "p.json", "--rounds", 20, *plain)["test_error"]["mean"] <= 0.035


def test_autograd_is_off_while_it_runs() -> None:
    text = (ROOT / "test.py").read_text(encoding="utf-8")
    assert "set_grad_enabled(False)" in text
    assert torch.is_grad_enabled()  # importing the package changes nothing


def test_a_page_is_written_instead_of_training(tmp_path: Path) -> None:
    weights, page = tmp_path / "w.safetensors", tmp_path / "disk.html"
    code, _, errors = run("--epochs", 1, "--hidden", "5", "--quiet", "--save", weights)
    assert code == 0, errors
    code, output, errors = run("--hidden", "5", "--load", weights, "--playground", page)
    assert (code, output, errors) == (0, f"{page}: open it in a browser.\n", "")
    bias = b64encode(bytes(load_file(weights)["0.bias"].view(torch.uint8).tolist())).decode()
    assert bias in page.read_text(encoding="utf-8")
    code, _, errors = run("--playground", tmp_path / "missing" / "disk.html")
    assert code == 1
    assert "does not exist" in errors


PICTURES = ["network.svg", "network.png", "curves.png", "boundary.png", "classification.png"]


def test_plot_writes_pictures_into_a_new_folder(tmp_path: Path) -> None:
    folder = tmp_path / "some" / "figures"
    code, _, errors = run("--epochs", 2, "--rounds", 2, "--hidden", "5,4", "--plot", folder)
    assert code == 0, errors
    names = sorted([*PICTURES, "units-1.png", "units-2.png"])
    assert sorted(path.name for path in folder.iterdir()) == names
    for name in names:
        start = (folder / name).read_bytes()[:8]
        assert start.startswith(b"<svg" if name.endswith("svg") else b"\x89PNG")


def test_plotting_changes_no_figure_but_keeps_the_curves(tmp_path: Path) -> None:
    settings = ("--epochs", 3, "--hidden", "5,4")  # a picture for each layer
    plain = record(tmp_path / "a.json", *settings)["rounds"][0]
    plotted = record(tmp_path / "b.json", *settings, "--plot", tmp_path / "p")["rounds"][0]
    assert plotted["losses"] == plain["losses"]
    assert plotted["test_error"] == plain["test_error"]
    assert plain["curve"] == []
    assert plotted["curve"][-1] == [plotted["train_error"], plotted["test_error"]]
    assert len(plotted["curve"]) == 3


def test_weights_without_training_have_no_curves(tmp_path: Path) -> None:
    weights = tmp_path / "w.safetensors"
    assert run("--epochs", 1, "--hidden", "5,4", "--save", weights)[0] == 0
    code, _, errors = run("--hidden", "5,4", "--load", weights, "--plot", tmp_path / "p")
    assert code == 0, errors
    assert not (tmp_path / "p" / "curves.png").exists()
    assert (tmp_path / "p" / "boundary.png").exists()


def test_plot_needs_a_folder_and_matplotlib(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    code, _, errors = run("--epochs", 1, "--plot", tmp_path / "file")
    assert (code, "is a file" in errors) == (1, True)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, output, errors = run("--epochs", 1, "--plot", tmp_path / "p")
    assert (code, output) == (1, "")  # before any work is done
    assert "pip install 'graphnet[plot]'" in errors
