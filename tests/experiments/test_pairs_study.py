"""The digit-pair study from its recipes to its page, on images that stand in for digits."""

import json
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


@pytest.fixture
def bars(monkeypatch):
    """Pairs without MNIST: the image of a digit is a bar in the row of its number."""

    def digit_pairs(n, *, generator):
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

    return {"shared": rounds(0.86, 0.88), "augmented": rounds(0.98, 0.99)}


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
    assert augmented == {"deep-digits", "both", "augmented"}


def test_finished_rounds_are_kept_and_belong_to_their_recipe(bars, tmp_path, monkeypatch):
    options = {"rounds": 2, "directory": tmp_path, "pairs": 20, "epochs": 1}
    first = study.run("shared", **options)
    monkeypatch.setattr(study, "train_model", None)  # nothing is trained again
    assert study.run("shared", **options).to_record() == first.to_record()
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


def test_failures_are_told(results):
    results["shared"].failures.append(Failure(7, "ValueError: no such digit", ""))
    assert report.text(results).endswith("2 shared: seed 7 failed: ValueError: no such digit")


def test_the_folder(results, tmp_path):
    report.write(tmp_path / "out", results)
    names = {"digit-pairs.json", "digit-pairs.md", "curves.png", "shared.svg", "augmented.svg"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    record = json.loads((tmp_path / "out" / "digit-pairs.json").read_text())
    assert record["networks"]["shared"]["statistics"]["test_accuracy"]["mean"] == 0.87
    page = (tmp_path / "out" / "digit-pairs.md").read_text()
    assert "| 2 shared | 87.0 ± 1.4 % |" in page
    assert "answer + 0.5 first digit + 0.5 second digit, augmented" in page


def test_the_command(bars, tmp_path, capsys):
    small = ["--models", "shared", "--rounds", "2", "--pairs", "20", "--epochs", "1"]
    code = command.main([*small, "--out", str(tmp_path)])
    assert code == 0
    assert "2 shared" in capsys.readouterr().out
    assert (tmp_path / "rounds" / "shared" / "round-1.json").exists()


@pytest.mark.parametrize("wrong", [["--rounds", "0"], ["--models", "ninth"], ["--workers", "-1"]])
def test_wrong_options_end_with_a_usage_line(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(wrong)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err
