import struct
import sys

import pytest

from graphnet.draw.png import FONTS, MOST_PIXELS, pdf_of, png_of, size_of_svg
from graphnet.errors import GraphError

FAMILY = 'font-family="DejaVu Sans, sans-serif"'


def picture(width=60, height=20, content=""):
    start = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
    return f'{start}<rect width="100%" height="100%" fill="#ffffff"/>{content}</svg>'


def written(text, weight="normal"):
    return picture(60, 20, f'<text y="15" {FAMILY} font-weight="{weight}">{text}</text>')


def size_of_png(png):
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize(("scale", "size"), [(1.0, (60, 20)), (2.0, (120, 40)), (0.001, (1, 1))])
def test_the_size_in_pixels(scale, size):
    assert size_of_png(png_of(picture(), scale)) == size


def test_the_same_picture_gives_the_same_bytes():
    assert png_of(written("abc")) == png_of(written("abc"))


@pytest.mark.parametrize("letter", "aZé0ß∂∇Σ√·ᵀ²₁→←βσμ…‖×−ˣʸ⊙∞≤")
@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_letters_are_there_without_the_fonts_of_the_machine(letter, weight):
    missing = png_of(written("\ue000", weight))
    assert png_of(written(letter, weight)) not in (missing, png_of(picture()))


def test_bold_is_bold():
    assert png_of(written("abc")) != png_of(written("abc", "bold"))


def test_the_fonts_are_small_and_bring_their_licence():
    fonts = sorted(FONTS.glob("*.ttf"))
    assert [font.name for font in fonts] == ["DejaVuSans-Bold.ttf", "DejaVuSans.ttf"]
    assert all(font.stat().st_size < 80_000 for font in fonts)
    assert "Bitstream" in (FONTS / "LICENSE").read_text(encoding="utf-8")


def test_too_many_pixels_are_capped_with_a_note():
    with pytest.warns(UserWarning, match="10000 x 9000 points is drawn at 0.42 of its size"):
        width, height = size_of_png(png_of(picture(10_000, 9_000)))
    assert 0.99 * MOST_PIXELS < width * height <= MOST_PIXELS


@pytest.mark.parametrize("svg", ["", "<p>", '<svg width="3">', '<svg width="3pt" height="2pt">'])
def test_what_has_no_size_is_refused(svg):
    with pytest.raises(GraphError, match="begins with <svg width"):
        size_of_svg(svg)


@pytest.mark.parametrize(
    ("maker", "module", "command"),
    [(png_of, "resvg_py", "pip install resvg-py"), (pdf_of, "typst", "pip install typst")],
)
def test_a_missing_package_is_named(monkeypatch, maker, module, command):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(GraphError, match=command):
        maker(picture())


def test_a_page():
    pdf = pdf_of(written("abc"))
    assert pdf.startswith(b"%PDF-") and pdf == pdf_of(written("abc"))
    assert b"/Subtype/Image" not in pdf.replace(b" ", b""), "lines and letters, no pixels"
