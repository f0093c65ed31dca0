"""The digit-pair study from its recipes to its page, on images that stand in for digits."""

import json
import re
from dataclasses import replace

import pytest
import torch

import graphnet as gn
from graphnet.data.pairs import DigitPairs, image_pairs
from graphnet.errors import LoadError
from graphnet.experiments.pairs import __main__ as command
from graphnet.experiments.pairs import report, study
from graphnet.experiments.pairs.recipes import RECIPES
from graphnet.train.rounds_table import Failure, Round, Rounds

PAIRS = torch.tensor([[3, 4], [5, 5], [9, 0]])


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def bars(monkeypatch):
    """Pairs without MNIST: the image of a digit is a bar in the row of its number."""

    def digit_pairs(n, *, generator=None):
        def some():
            labels = torch.randint(10, (2 * n,), generator=generator)
            images = torch.zeros(2 * n, 28, 28)
            images[torch.arange(2 * n), 4 + 2 * labels] = 255
            return image_pairs(images, labels, n, generator=generator)

        return DigitPairs(*some(), *some())

    monkeypatch.setattr(gn.data, "digit_pairs", digit_pairs)


@pytest.fixture
def results():
    def rounds(*accuracies):
        return Rounds(
            Round(
                seed,
                {"test_accuracy": each, "train_accuracy": 1.0, "parameters": 68198.0},
                {"training_loss": [0.7, 0.2], "accuracy_by_epoch": [0.5, each]},
                1.5,
            )
            for seed, each in enumerate(accuracies)
        )

    accuracies = {"shared": (0.86, 0.88), "augmented": (0.98, 0.99)}
    return {
        name: study.Trained(RECIPES[name], 1000, rounds(*values))
        for name, values in accuracies.items()
    }


def test_the_table_has_the_eight_networks():
    numbers = [int(recipe.title.split()[0]) for recipe in RECIPES.values()]
    assert numbers == [1, 2, 3, 4, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_says_what_each_output_learns(name):
    recipe = RECIPES[name]
    torch.manual_seed(0)
    outputs = recipe.model().eval()(torch.rand(3, 2, 14, 14))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    columns = {"answer": 2, "first digit": 10, "second digit": 10}
    assert len(outputs) == len(recipe.learns) == len(recipe.losses)
    for output, learned in zip(outputs, recipe.learns, strict=True):
        assert learned is None or output.shape[1] == columns[learned[0]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shared", [[1, 1, 0]]),
        ("plain-auxiliary", [[1, 1, 0]] * 3),
        ("both", [[1, 1, 0], [3, 5, 9], [4, 5, 0]]),
        ("digits", [[3, 5, 9], [4, 5, 0]]),
    ],
)
def test_targets(name, expected):
    images, answer = torch.zeros(3, 2, 14, 14), torch.tensor([1, 1, 0])
    _, targets = study.data_of(RECIPES[name], images, answer, PAIRS)
    assert [each.tolist() for each in targets] == expected


@pytest.mark.parametrize(
    "targets",
    [
        torch.tensor([1, 1, 0]),
        (torch.tensor([1, 1, 0]), PAIRS[:, 0], PAIRS[:, 1]),
        (PAIRS[:, 0], PAIRS[:, 1]),
    ],
)
def test_accuracy_is_that_of_the_answer(targets):
    scores = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    assert study.accuracy((scores, None, None), targets) == pytest.approx(2 / 3)


@pytest.mark.parametrize("name", ["shared", "digits"])
def test_a_round_learns(name, bars):
    numbers = study.one_round(name, 3, pairs=200, epochs=8)
    assert numbers["seconds"] > 0
    assert len(numbers["training_loss"]) == len(numbers["accuracy_by_epoch"]) == 8
    assert numbers["test_accuracy"] == numbers["accuracy_by_epoch"][-1] > 0.7


@pytest.mark.parametrize("name", ["shared", "augmented"])
def test_a_seed_decides_everything(name, bars):
    first, again, other = (
        study.one_round(name, seed, pairs=40, epochs=2)["training_loss"] for seed in (3, 3, 4)
    )
    assert first == again != other


def test_augmentation_is_for_those_that_learn_both_digits():
    augmented = {
        name
        for name, recipe in RECIPES.items()
        if study.with_options(recipe, None, True).augment is not None
    }
    assert augmented == {"deep-digits", "both", "digits", "augmented"}


def test_finished_rounds_are_kept_and_belong_to_their_recipe(bars, tmp_path, monkeypatch):
    options = {"rounds": 2, "directory": tmp_path, "pairs": 20, "epochs": 1}
    first = study.run("shared", **options).rounds
    monkeypatch.setattr(study, "train_model", None)  # nothing is trained again
    assert study.run("shared", **options).rounds.to_record() == first.to_record()
    changed = replace(RECIPES["shared"], lr=1e-3)
    monkeypatch.setitem(RECIPES, "shared", changed)
    with pytest.raises(LoadError):
        study.run("shared", **options)


def test_the_table(results):
    lines = report.text(results).splitlines()
    assert lines[0].split()[:3] == ["network", "test", "accuracy"]
    assert "87.0 ± 1.4 %" in lines[1]
    assert "68,198" in lines[1]
    assert "98.2%" in lines[2]


def test_failures_are_reported(results):
    results["shared"].rounds.failures.append(Failure(7, "ValueError: no such digit", ""))
    line = "2 shared: seed 7 failed: ValueError: no such digit"
    assert report.text(results).endswith(line)
    assert f"\n\n{line}\n\n" in report.page(results)


def test_the_folder(results, tmp_path):
    report.write(tmp_path / "out", results)
    assert names_in(tmp_path / "out") == ["digit-pairs.json", "digit-pairs.md", "pictures"]
    record = json.loads((tmp_path / "out" / "digit-pairs.json").read_text(encoding="utf-8"))
    assert record["networks"]["shared"]["statistics"]["test_accuracy"]["mean"] == 0.87
    page = (tmp_path / "out" / "digit-pairs.md").read_text(encoding="utf-8")
    assert "| 2 shared | 87.0 ± 1.4 % |" in page
    assert "answer + 0.5 first digit + 0.5 second digit, augmented" in page
    linked = sorted(re.findall(r"\]\(pictures/(.+?)\)", page))
    assert linked == names_in(tmp_path / "out" / "pictures")
    assert linked == ["digit-pairs-augmented.svg", "digit-pairs-shared.svg", "digit-pairs.png"]


SMALL = ["--models", "digits", "--rounds", "1", "--pairs", "20", "--epochs", "1"]


def test_the_command(bars, tmp_path, capsys):
    assert command.main([*SMALL, "--out", str(tmp_path)]) == 0
    assert "7 digits" in capsys.readouterr().out
    assert (tmp_path / "rounds" / "digits" / "round-0.json").exists()


def test_the_page_and_the_record_tell_what_was_run_and_not_what_is_usual(bars, tmp_path):
    assert command.main([*SMALL, "--augment", "--out", str(tmp_path)]) == 0
    page = (tmp_path / "digit-pairs.md").read_text(encoding="utf-8")
    assert "learns it from 20 pairs and is tested on 20 others" in page
    assert "of 1 round (seeds 0 to 0)" in page
    assert (
        "| 7 digits then <= | 0.005 | 0 | 1 | 100 | first digit + second digit, augmented |" in page
    )
    network = json.loads((tmp_path / "digit-pairs.json").read_text(encoding="utf-8"))["networks"][
        "digits"
    ]
    assert network["pairs"] == 20
    assert (network["recipe"]["epochs"], network["recipe"]["augment"]) == (1, True)


def test_without_digits_the_command_says_what_to_do_and_trains_nothing(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("GRAPHNET_DATA", str(tmp_path))
    monkeypatch.setattr(gn.data.pairs, "mnist", lambda root: gn.data.mnist(root, mirrors=()))
    monkeypatch.setattr(study, "run", None)
    assert command.main(SMALL) == 1
    output = capsys.readouterr().err
    assert "put these files into" in output
    assert "Traceback" not in output


def test_a_folder_of_other_settings_is_refused_without_a_traceback(bars, tmp_path, capsys):
    assert command.main([*SMALL, "--out", str(tmp_path)]) == 0
    assert command.main([*SMALL, "--augment", "--out", str(tmp_path)]) == 1
    output = capsys.readouterr().err
    assert "Choose another directory" in output
    assert "Traceback" not in output


def test_ctrl_c_ends_the_command(bars, monkeypatch):
    def run(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "run", run)
    assert command.main(SMALL) == 130


@pytest.mark.parametrize("wrong", [["--rounds", "0"], ["--models", "ninth"], ["--workers", "-1"]])
def test_wrong_options_end_with_a_usage_line(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(wrong)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err
