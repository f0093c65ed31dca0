"""The gallery of the docs is what its command writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from draw.picture_faults import faults, smallest_letters

from graphnet.experiments import gallery
from graphnet.experiments.models import MODELS

DOCS = Path(__file__).parents[2] / "docs"
QUICK = ["LeNet", "U-Net", "LSTM classifier", "VAE", "GAN", "siamese"]
LARGE = ["ResNet-18", "transformer"]
MOST_BYTES = 36_000


def exhibit_of(name):
    return next(each for each in gallery.EXHIBITS if each.name == name)


def words_in(svg):
    """The texts of a picture, without numbers: their last digits depend on the machine."""
    return [re.sub(r"[-\d.e+]+", "0", text) for text in re.findall(r">([^<]+)</text>", svg)]


def kept(path):
    return (DOCS / path).read_text(encoding="utf-8")


def test_all_networks_are_there_but_the_largest():
    assert [each.name for each in gallery.EXHIBITS] == [*MODELS][:-1]
    assert sorted([*QUICK, *LARGE]) == sorted(each.name for each in gallery.EXHIBITS)


def test_the_page_is_what_the_command_writes_and_shows_every_picture():
    page = kept(gallery.PAGE)
    assert page == gallery.page()
    files = {path.relative_to(DOCS).as_posix() for path in (DOCS / gallery.FOLDER).iterdir()}
    assert set(re.findall(r"\]\(([^)]*\.svg)\)", page)) == files
    assert len(files) == 5 * len(gallery.EXHIBITS)


def assert_kept(name):
    for path, svg in gallery.pictures(exhibit_of(name)).items():
        assert faults(svg) == []
        if path.endswith("-values.svg"):
            assert words_in(svg) == words_in(kept(path))
        else:
            assert svg == kept(path)


@pytest.mark.parametrize("name", QUICK)
def test_the_pictures_are_those_of_the_command(name):
    assert_kept(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_the_pictures_of_large_networks_are_those_of_the_command(name):
    assert_kept(name)


@pytest.mark.parametrize(
    "path", sorted((DOCS / gallery.FOLDER).iterdir()), ids=lambda each: each.stem
)
def test_a_picture_is_small_and_fits_on_a_screen(path):
    svg = path.read_text(encoding="utf-8")
    assert len(svg.encode()) <= MOST_BYTES
    letters = smallest_letters(svg, 1280, 720)
    assert letters >= (11 if path.stem.endswith("default") and "siamese" not in path.stem else 6.5)


def test_the_command_writes_into_a_folder_that_is_there(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gallery, "EXHIBITS", [exhibit_of("LSTM classifier")])
    monkeypatch.setattr(gallery, "walk", lambda graph: None)
    gallery.main([str(tmp_path)])
    assert (tmp_path / gallery.PAGE).read_text(encoding="utf-8").startswith("# Gallery")
    assert len(list((tmp_path / gallery.FOLDER).iterdir())) == 5
    with pytest.raises(SystemExit):
        gallery.main([str(tmp_path / "nowhere")])
    assert "a folder that is there" in capsys.readouterr().err
