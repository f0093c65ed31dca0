"""Folders of pictures."""

from __future__ import annotations

import sys

import pytest
import torch

import graphnet as gn

Image = pytest.importorskip("PIL.Image", reason="needs: pip install pillow")


def write(path, color, size=(6, 4), mode="RGB"):
    """A picture of one color, or of one value for each pixel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "dog" / "b.png", (255, 0, 51))
    write(tmp_path / "dog" / "a.bmp", (0, 0, 0))
    write(tmp_path / "cat" / "deep" / "c.PNG", (51, 102, 153))
    (tmp_path / "cat" / "notes.txt").write_text("no picture", encoding="utf-8")
    (tmp_path / "README.md").write_text("no class", encoding="utf-8")
    return tmp_path


def test_each_folder_is_a_class(folder):
    images = gn.data.ImageFolder(folder)
    assert images.classes == ["cat", "dog"]
    assert [path.name for path in images.paths] == ["c.PNG", "a.bmp", "b.png"]
    assert images.targets == [0, 1, 1]
    assert len(images) == 3
    x, t = images[2]
    assert x.shape == (3, 4, 6)
    assert t == 1
    assert x[:, 0, 0].tolist() == pytest.approx([1, 0, 0.2])
    assert x.dtype == torch.float32


def test_pixels_are_where_they_are_in_the_file(tmp_path):
    picture = Image.new("L", (3, 2))
    picture.putdata([0, 51, 102, 153, 204, 255])
    (tmp_path / "a").mkdir()
    picture.save(tmp_path / "a" / "1.png")
    x, _ = gn.data.ImageFolder(tmp_path, mode="L")[0]
    torch.testing.assert_close(x, torch.tensor([[[0, 0.2, 0.4], [0.6, 0.8, 1]]]))
    x, _ = gn.data.ImageFolder(tmp_path)[0]  # grey as color
    assert x.shape == (3, 2, 3)


def test_a_size_and_a_transform(folder):
    images = gn.data.ImageFolder(folder, size=(8, 5), transform=lambda x: x.flip(-1) * 2)
    x, _ = images[2]
    assert x.shape == (3, 8, 5)
    assert float(x[0].max()) == pytest.approx(2)


def test_a_network_learns_from_them(tmp_path):
    for place in range(6):
        write(tmp_path / "dark" / f"{place}.png", (5 * place,) * 3)
        write(tmp_path / "light" / f"{place}.png", (255 - 5 * place,) * 3)
    images = gn.data.ImageFolder(tmp_path)
    torch.manual_seed(0)
    model = gn.Sequential(gn.Flatten(), gn.Linear(72, 2))
    adam = gn.Adam(model.parameters(), lr=0.05)
    split = gn.data.Split(0.5, seed=0, stratify=True)
    history = gn.fit(
        model, gn.LossCrossEntropy(), images, adam, epochs=20, batch_size=4, seed=0,
        validation_split=split, metrics=[gn.metrics.accuracy],
    )  # fmt: skip
    assert history["validation_accuracy"][-1] == 1
    measured = gn.evaluate(model, gn.LossCrossEntropy(), images, metrics=[gn.metrics.accuracy])
    assert measured["accuracy"] == 1
    best = torch.cat([output.argmax(1) for output in gn.predict(model, images, batch_size=5)])
    assert best.tolist() == images.targets


def test_pictures_of_several_sizes_need_one(folder):
    write(folder / "dog" / "large.png", (0, 0, 0), size=(9, 9))
    model = gn.Sequential(gn.Flatten(), gn.Linear(72, 2))
    adam = gn.Adam(model.parameters())
    with pytest.raises(gn.ShapeError, match=r"\(3, 4, 6\).*\(3, 9, 9\).*Crop, pad or resize"):
        gn.fit(model, gn.LossCrossEntropy(), gn.data.ImageFolder(folder), adam, seed=0)


def test_a_damaged_file_is_named(folder):
    (folder / "dog" / "b.png").write_bytes(b"\x89PNG no more")
    with pytest.raises(gn.LoadError, match=r"b.png cannot be read as a picture"):
        gn.data.ImageFolder(folder)[2]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"root": "nowhere"}, gn.LoadError, "no folder of pictures"),
        ({"mode": "CMYK"}, gn.RangeError, "mode must be"),
        ({"size": (4,)}, gn.RangeError, r"size must be \(height, width\)"),
        ({"size": (4, 0)}, gn.RangeError, "each 1 or more"),
        ({"size": 4}, gn.RangeError, "size must be"),
    ],
)
def test_what_cannot_be_is_refused(folder, options, error, words):
    given = {"root": folder, **options}
    with pytest.raises(error, match=words):
        gn.data.ImageFolder(given.pop("root"), **given)


def test_a_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "cat").mkdir()
    with pytest.raises(gn.LoadError, match="has no pictures: they are in a subfolder"):
        gn.data.ImageFolder(tmp_path)


def test_without_pillow_the_way_out_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(gn.GraphError, match=r"pip install 'graphnet\[images\]'"):
        gn.data.ImageFolder(folder)
