"""Themes: light, dark, and that of the page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from colorsys import rgb_to_hls

import pytest
import torch
from browser import chromium
from PIL import Image
from scenes import network

import graphnet as gn
from graphnet.draw.drawing import drawing_of
from graphnet.draw.png import png_of
from graphnet.draw.svg.paint import Look, painted
from graphnet.draw.svg.style import FOUND, MARKED, SHARED, STYLES, ink_on, sharing_colour
from graphnet.draw.svg.theme import dark
from graphnet.notebook import Source

COLOUR = r'(?:fill|stroke)="(#\w{6})"'


def drawn(theme):
    scene = network()
    layout = drawing_of(scene, "ranker").layout
    return painted(scene, layout, Look(theme=theme, uid="u"))


def lightness(colour):
    return rgb_to_hls(*(byte / 255 for byte in bytes.fromhex(colour[1:])))[1]


def luminance(colour):
    parts = [byte / 255 for byte in bytes.fromhex(colour[1:])]
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_a_dark_picture_is_the_light_one_in_other_colours():
    light, night = drawn("light"), drawn("dark")
    assert re.sub("#[0-9a-f]{6}", "", light) == re.sub("#[0-9a-f]{6}", "", night)
    assert "<style>" not in light + night
    ground = re.search(r'<rect [^>]*fill="(#\w+)"', night)[1]
    assert lightness(ground) < 0.12


def test_a_picture_that_follows_its_page_has_both():
    auto, light, night = drawn("auto"), drawn("light"), drawn("dark")
    style = re.search("<style>(.*)</style>", auto)[1]
    assert re.sub("<style>.*</style>", "", auto) == light  # for programs without style sheets
    used = set(re.findall(COLOUR, light))
    first, second = re.match(
        r"#u\{(.*?)\}@media \(prefers-color-scheme:dark\)\{#u\{(.*?)\}", style
    ).groups()
    lights = dict(part.split(":") for part in first.split(";") if part)
    darks = dict(part.split(":") for part in second.split(";") if part)
    assert set(lights.values()) == used
    assert set(darks.values()) == set(re.findall(COLOUR, night))
    for name, colour in lights.items():
        assert darks[name] == dark(colour)
        for where in ("fill", "stroke"):
            rule = f'#u [{where}="{colour}"]{{{where}:var({name})}}'
            assert (rule in style) == (f' {where}="{colour}"' in light)
    assert '[data-theme="dark"] #u' in style and '[data-theme="light"] #u' in style


def test_a_png_of_a_picture_that_follows_its_page_is_light():
    assert png_of(drawn("auto")) == png_of(drawn("light")) != png_of(drawn("dark"))


@pytest.mark.parametrize("kind", STYLES)
def test_letters_and_outlines_can_be_seen_in_the_dark(kind):
    style = STYLES[kind]
    assert contrast(dark(ink_on(style.fill)), dark(style.fill)) > 4.5
    assert contrast(dark(style.stroke), dark("#ffffff")) > 3


@pytest.mark.parametrize("number", [*range(len(SHARED)), 7, 20, 33])
def test_badges_and_their_notes_can_be_read_in_the_dark(number):
    colour = dark(sharing_colour(number))
    assert contrast(colour, dark("#ffffff")) > 4.5


def test_a_finding_has_a_colour_of_its_own_in_both_themes():
    for theme in (str, dark):
        others = [theme(style.fill) for style in STYLES.values()]
        hue = [rgb_to_hls(*(byte / 255 for byte in bytes.fromhex(each[1:])))[0] for each in others]
        found = rgb_to_hls(*(byte / 255 for byte in bytes.fromhex(theme(MARKED)[1:])))[0]
        assert min(abs(found - each) for each in hue) > 0.1
        assert contrast(theme(FOUND), theme("#ffffff")) > 4.5


def test_a_theme_is_one_of_three():
    with pytest.raises(gn.GraphError, match="theme must be"):
        gn.Linear(2, 3).draw((None, 2), theme="sepia")


def test_a_style_sheet_says_nothing_about_other_pictures():
    root = ET.fromstring(drawn("auto"))
    (style,) = root.iter("{http://www.w3.org/2000/svg}style")
    for selectors in re.findall(r"([^{}]+)\{", style.text):
        if not selectors.startswith("@media"):
            assert all("#u" in each for each in selectors.split(","))


# in a browser


def corner(page, path):
    """The colour at the upper left of what the window shows."""
    page.picture(path)
    return Image.open(path).convert("RGB").getpixel((3, 3))


@pytest.mark.parametrize("where", ["a file", "an image in a page"])
def test_a_picture_follows_what_the_reader_prefers(where, tmp_path):
    shown = tmp_path / "net.svg"
    shown.write_text(drawn("auto"), encoding="utf-8")
    if where != "a file":
        shown = tmp_path / "page.html"
        shown.write_text('<body style="margin:0"><img src="net.svg">', encoding="utf-8")
    with chromium(shown) as page:
        page.prefer(color_scheme="light")
        assert corner(page, tmp_path / "light.png") == (255, 255, 255)
        page.prefer(color_scheme="dark")
        assert corner(page, tmp_path / "dark.png") == (0x11, 0x17, 0x1F)


def test_an_image_follows_the_switch_of_a_page(tmp_path):
    """A site that is dark says so with `color-scheme`, as Material for MkDocs does."""
    (tmp_path / "net.svg").write_text(drawn("auto"), encoding="utf-8")
    for ground, system, colour in [
        ("dark", "light", (0x11, 0x17, 0x1F)),
        ("light", "dark", (255,) * 3),
    ]:
        shown = tmp_path / f"{ground}.html"
        shown.write_text(
            f'<body style="margin:0;color-scheme:{ground}"><img src="net.svg">', encoding="utf-8"
        )
        with chromium(shown) as page:
            page.prefer(color_scheme=system)
            assert corner(page, tmp_path / "shown.png") == colour


def outputs():
    """What a notebook shows of the objects that have colours of their own, as HTML."""
    torch.manual_seed(0)
    model = gn.Sequential(gn.Linear(2, 3), gn.Tanh(), gn.Linear(3, 1))
    with gn.Graph() as graph:
        loss = gn.LossMSE()(model(gn.Input((None, 2), name="x")), gn.Input((None, 1), name="t"))
    walk = graph.walk({"x": torch.rand(4, 2), "t": torch.rand(4, 1)}, loss)
    frames = walk.frames(engine="ranker")
    drawing = graph.draw(show=("shape", "values"), engine="ranker")
    pages = [each._repr_mimebundle_()["text/html"] for each in (drawing, frames)]
    return [*pages, *(each._repr_html_() for each in (graph, graph.summary(), Source("y = 1")))]


def slabs(path, ground):
    """How many squares of 16 pixels have the opposite of a dark or light ground."""
    picture = Image.open(path).convert("RGB")
    small = picture.resize((picture.width // 16, picture.height // 16), Image.Resampling.BOX)
    pixels = [small.getpixel((x, y)) for x in range(small.width) for y in range(small.height)]
    return sum(min(each) > 225 if ground == "dark" else max(each) < 60 for each in pixels)


@pytest.mark.parametrize(
    ("ground", "system"),
    [
        ("dark", "light"),
        *(
            pytest.param(*each, marks=pytest.mark.slow)
            for each in [("dark", "dark"), ("light", "light"), ("light", "dark")]
        ),
    ],
)
def test_a_notebook_shows_no_slab_of_the_other_theme(ground, system, tmp_path):
    """As in JupyterLab, whose own switch decides and not the system."""
    look = "background:#111;color:#eee" if ground == "dark" else "background:#fff;color:#111"
    light = str(ground == "light").lower()
    notebook = tmp_path / "notebook.html"
    for number, output in enumerate(outputs()):
        notebook.write_text(
            f'<!doctype html><meta charset="utf-8"><body style="margin:0;{look}"'
            f' data-jp-theme-light="{light}"><div>{output}</div>',
            encoding="utf-8",
        )
        with chromium(notebook) as page:
            page.prefer(color_scheme=system, reduced_motion="reduce")
            page.picture(tmp_path / f"{number}.png")
        assert slabs(tmp_path / f"{number}.png", ground) == 0, number


@pytest.mark.parametrize("ground", ["dark", "light"])
def test_the_button_of_a_page_is_stronger_than_the_notebook(ground, tmp_path):
    light = str(ground == "light").lower()
    notebook = tmp_path / "notebook.html"
    notebook.write_text(
        f'<!doctype html><meta charset="utf-8"><body data-jp-theme-light="{light}">{outputs()[0]}',
        encoding="utf-8",
    )
    fill = "getComputedStyle(document.querySelector('.canvas [data-key] > path')).fill"
    back = "getComputedStyle(document.querySelector('.graphnet-page')).backgroundColor"
    with chromium(notebook) as page:
        page.prefer(color_scheme="light", reduced_motion="reduce")
        before = page.run(fill), page.run(back)
        page.click("button[data-do=theme]")
        after = page.run(fill), page.run(back)
        page.click("button[data-do=theme]")
        assert (page.run(fill), page.run(back)) == before
    for one, other in zip(before, after, strict=True):
        sums = [sum(map(int, re.findall(r"\d+", each))) for each in (one, other)]
        assert (sums[0] < sums[1]) == (ground == "dark") and sums[0] != sums[1]
