"""The documentation site builds without a warning; its links lead somewhere, no name is missing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zlib
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import pytest

import graphnet as gn
from graphnet import ops

ROOT = Path(__file__).parent.parent

# what is looked at: each of these returns what is wrong with the site in a folder


class Page(HTMLParser):
    """What a page links to, and the places on it that can be linked to."""

    def __init__(self, path):
        super().__init__()
        self.links, self.places = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == "id":
                self.places.add(value)
            elif name in ("href", "src") and value:
                self.links.append(value)


def broken(page, links, pages):
    """The links of a page that lead nowhere; those to other servers are left alone."""
    for link in links:
        url = urlsplit(link)
        if url.scheme or url.netloc:
            continue
        target = (page.parent / unquote(url.path)).resolve() if url.path else page
        target = target / "index.html" if target.is_dir() else target
        place = unquote(url.fragment)
        if not target.exists() or (place and target in pages and place not in pages[target].places):
            yield link


def broken_links(site):
    pages = {path.resolve(): Page(path) for path in site.rglob("index.html")}
    assert sum(len(page.links) for page in pages.values()) > 1000
    return {
        f"{path.relative_to(site.resolve())} -> {link}"
        for path, page in pages.items()
        for link in broken(path, page.links, pages)
    }


def names_without_a_place(site):
    """Public names that are not in the index that the reference offers to other sites."""
    lines = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    documented = {line.split()[0] for line in zlib.decompress(lines).decode().splitlines()}
    return public_names() - documented


def public_names():
    rooms = {"data", "distributed", "draw", "exercises", "init", "metrics", "ops", "playground"}
    rooms |= {"schedules", "__version__"}
    names = {f"graphnet.{name}" for name in gn.__all__ if name not in rooms}
    functions = {name for name in dir(ops) if callable(getattr(ops, name)) and name[0] != "_"}
    names |= {f"graphnet.ops.{name}" for name in functions}
    for room in ("data", "distributed", "exercises", "schedules"):
        names |= {f"graphnet.{room}.{name}" for name in getattr(gn, room).__all__}
    names -= {"graphnet.exercises.grade"}  # it is graphnet.grade
    return names - {f"graphnet.{name}" for name in VALUES}


VALUES = {"data.CENTER", "data.RADIUS", "exercises.ALL", "schedules.Schedule"}
"""Public names that are neither classes nor functions."""


def missing_pages(site):
    """Pages and notebooks of the checkout that are not in the site."""
    pages = {path.parent.relative_to(site).as_posix() for path in site.rglob("index.html")}
    sources = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    sources |= {path.relative_to(ROOT) for path in (ROOT / "notebooks").glob("*.ipynb")}
    sources |= {Path("CHANGELOG.md")}
    places = {s.parent if s.stem == "index" else s.with_suffix("") for s in sources}
    return {place.as_posix() for place in places} - pages


def constructors_without_their_settings(site):
    """Optimizers whose page does not show what their constructors take."""
    text = (site / "reference/optimizers/index.html").read_text(encoding="utf-8")
    plain = unescape(re.sub(r"<[^>]*>", "", text))
    shown = {
        "SGD": "momentum: float = 0.0",
        "AdamW": "weight_decay: float = 0.01",
        "NAdam": "betas: tuple[float, float] = (0.9, 0.999)",
    }
    written = {name: plain.partition(f"{name}(\n    params: Params,")[2] for name in shown}
    return {
        name
        for name, setting in shown.items()
        if setting not in written[name].partition("**switches")[0]
    }


def remarks_to_the_tests(site):
    """Pages on which an example shows what is meant for the tests."""
    texts = {path: path.read_text(encoding="utf-8") for path in site.rglob("index.html")}
    plain = {path: re.sub(r"<[^>]*>", "", text) for path, text in texts.items()}
    marks = ("# doctest:", "&lt;BLANKLINE&gt;")
    return {str(path) for path, text in plain.items() for mark in marks if mark in text}


REQUESTS = re.compile(
    r"""<(script|img|iframe|link rel="stylesheet")[^>]* (src|href)="(https?:)?//"""
)


def notebooks_without_outputs(site):
    """Notebooks that ask for no data set and show no results."""
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
    own = [path.stem for path in paths if "**Data:**" not in path.read_text(encoding="utf-8")]
    texts = {
        name: (site / "notebooks" / name / "index.html").read_text(encoding="utf-8") for name in own
    }
    return {name for name, text in texts.items() if "jp-OutputArea-output" not in text}


def what_comes_from_elsewhere(site):
    """Pages whose scripts, styles, fonts or pictures are on another server."""
    pages = site.rglob("index.html")
    return {str(path) for path in pages if REQUESTS.search(path.read_text(encoding="utf-8"))}


# the tests


@pytest.mark.slow
def test_the_site_is_whole(tmp_path):
    """Built once, since that takes a while, and then looked at from all sides."""
    command = ["-m", "mkdocs", "build", "--strict", "-f", ROOT / ".mkdocs.yml", "-d", tmp_path]
    built = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        cwd=tmp_path,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert broken_links(tmp_path) == set()
    assert names_without_a_place(tmp_path) == set()
    assert missing_pages(tmp_path) == set()
    assert constructors_without_their_settings(tmp_path) == set()
    assert remarks_to_the_tests(tmp_path) == set()
    assert what_comes_from_elsewhere(tmp_path) == set()
    assert notebooks_without_outputs(tmp_path) == set()


def test_faults_of_a_site_are_found(tmp_path):
    page = tmp_path / "index.html"
    page.write_text(
        '<p id="here"><a href="#here"><a href="#gone"><img src="a.png"><a href="b/"></p>'
        '<code><span>1</span> # doctest: +SKIP</code><script async src="https://a.b/c.js"></script>',
        encoding="utf-8",
    )
    looked = Page(page)
    assert list(broken(page, looked.links, {page: looked})) == ["#gone", "a.png", "b/"]
    index = zlib.compress(b"graphnet.Graph py:class 1 reference/#graphnet.Graph -")
    (tmp_path / "objects.inv").write_bytes(b"#\n#\n#\n#\n" + index)
    missing = names_without_a_place(tmp_path)
    assert "graphnet.Graph" not in missing
    assert "graphnet.ops.tanh" in missing
    assert "quick-start" in missing_pages(tmp_path)
    assert remarks_to_the_tests(tmp_path) == what_comes_from_elsewhere(tmp_path) == {str(page)}


def test_formulas_of_notebooks_become_mathml_and_code_stays(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    import hooks

    page = SimpleNamespace(file=SimpleNamespace(src_uri="notebooks/01.ipynb"))
    code = "<pre>cost = $1 or $2</pre>"
    text = hooks.on_page_content(f"<p>As $c &lt; 4a$:</p>{code}<p>$$\\sqrt{{d}}$$</p>", page=page)
    assert text.count("<math") == 2
    assert text.count('display="block"') == 1
    assert code in text
    assert "$c" not in text
    page.file.src_uri = "index.md"
    assert hooks.on_page_content("<p>$x$</p>", page=page) == "<p>$x$</p>"


def a_config():
    plugin = SimpleNamespace(config={"cache": False})
    return SimpleNamespace(nav=["index.md", {"Notebooks": []}], plugins={"mkdocs-jupyter": plugin})


def test_a_notebook_is_listed_by_its_heading(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    import hooks

    notebook = tmp_path / "notebooks" / "01-the-list.ipynb"
    monkeypatch.setattr(hooks, "ROOT", tmp_path)
    config = a_config()
    hooks.on_config(config)
    assert config.nav == ["index.md"]

    notebook.parent.mkdir()
    cells = [{"cell_type": "markdown", "source": ["# The list\n", "It is a list."]}]
    notebook.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    config = a_config()
    hooks.on_config(config)
    page = {"The list": "notebooks/01-the-list.ipynb"}
    assert config.nav == ["index.md", {"Notebooks": [page]}]


def test_a_notebook_is_run_for_the_site_where_its_data_set_is(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    import hooks

    assert "execute: !ENV [EXECUTE_NOTEBOOKS, true]" in (ROOT / ".mkdocs.yml").read_text(
        encoding="utf-8"
    )
    monkeypatch.setenv("GRAPHNET_DATA", str(tmp_path))
    for raw in (None, tmp_path / "MNIST" / "raw"):
        if raw:
            raw.mkdir(parents=True)
        config = a_config()
        hooks.on_config(config)
        left_out = config.plugins["mkdocs-jupyter"].config["execute_ignore"]
        assert len(left_out) == (0 if raw else 3), left_out
        assert all("mnist" in name or "digit" in name for name in left_out)


def test_outputs_are_kept_only_while_pages_are_written(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    import hooks

    monkeypatch.setattr(hooks, "CACHE", [])
    for command, kept in (("build", False), ("serve", True)):
        hooks.on_startup(command)
        config = a_config()
        hooks.on_config(config)
        assert config.plugins["mkdocs-jupyter"].config["cache"] == kept
    hooks.CACHE[0].cleanup()
