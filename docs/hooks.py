"""What the site needs beyond its pages: notebooks, formulas, the changelog, readable examples."""

from __future__ import annotations

import json
import re
import tempfile
from html import unescape
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING

import griffe
from latex2mathml.converter import convert
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File

from graphnet.data.download import data_folder

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
EXAMPLE = re.compile(r"^```python\n(?=>>>)(.*?)^```$", re.DOTALL | re.MULTILINE)
SESSION = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)
REMARK = re.compile(r" *# doctest: .*$|\n<BLANKLINE>$", re.MULTILINE)
VERBATIM = re.compile(r"(<(pre|code|script|style|svg|iframe)\b.*?</\2>)", re.DOTALL)
FORMULA = re.compile(r"(\$\$?)(?=\S)([^$]+?)(?<=\S)\1")

CACHE: list[tempfile.TemporaryDirectory[str]] = []
"""The folder of outputs that `mkdocs serve` keeps until it ends."""


def notebooks() -> list[Path]:
    """The notebooks in the order of their names."""
    return sorted((ROOT / "notebooks").glob("*.ipynb"))


def title(notebook: Path) -> str:
    """The first heading of a notebook, or its file's name."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        heading = re.search(r"^# (.+)$", "".join(cell["source"]), re.MULTILINE)
        if cell["cell_type"] == "markdown" and heading:
            return heading[1]
    return notebook.stem


def has_data(notebook: Path) -> bool:
    """Whether the data set that a notebook asks for is on this machine."""
    needed = "**Data:**" in notebook.read_text(encoding="utf-8")
    return not needed or (data_folder() / "MNIST" / "raw").is_dir()


def on_startup(command: str, **_: object) -> None:
    """While pages are written, compute the outputs of notebooks once, not after each change."""
    if command == "serve":
        CACHE.append(tempfile.TemporaryDirectory(prefix="graphnet-site-"))


def on_config(config: MkDocsConfig) -> None:
    """List the notebooks in the navigation; without any, leave the entry out.

    Those whose data set is missing are shown without outputs.
    """
    settings = config.plugins["mkdocs-jupyter"].config
    settings["execute_ignore"] = [path.name for path in notebooks() if not has_data(path)]
    if CACHE:
        settings.update(cache=True, cache_dir=CACHE[0].name)
    pages = [{title(path): f"notebooks/{path.name}"} for path in notebooks()]
    entries = [{"Notebooks": pages} if "Notebooks" in each else each for each in config.nav]
    config.nav = [each for each in entries if each != {"Notebooks": []}]


@event_priority(100)  # before the plugin that makes pages of notebooks
def on_files(files: Files, config: MkDocsConfig) -> None:
    """Bring in the pages that lie outside docs/."""
    for path in [*notebooks(), ROOT / "CHANGELOG.md"]:
        name = path.relative_to(ROOT).as_posix()
        files.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls))


def on_page_markdown(markdown: str, **_: object) -> str:
    """Show examples with prompts as a session, without the remarks that are for the tests.

    In the checkout the notebooks lie beside docs/, in the site among the pages.
    """
    sessions = EXAMPLE.sub(lambda found: f"```pycon\n{REMARK.sub('', found[1])}```", markdown)
    return sessions.replace("](../notebooks/", "](notebooks/")


def on_page_content(html: str, page: Page, **_: object) -> str:
    """Write the formulas of notebooks in MathML, which a browser shows without any script."""
    if not page.file.src_uri.endswith(".ipynb"):
        return html
    parts = VERBATIM.split(html)  # text, verbatim, its tag, text, verbatim, its tag ...
    parts[::3] = [FORMULA.sub(mathml, text) for text in parts[::3]]
    del parts[2::3]
    return "".join(parts)


def mathml(formula: re.Match[str]) -> str:
    """A formula between dollars; two dollars put it on a line of its own."""
    return convert(unescape(formula[2]), display="inline" if formula[1] == "$" else "block")


class Sessions(griffe.Extension):
    """Fences around the examples of docstrings, which Markdown would take for quotations."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        """Fence the examples in the docstring of one function, class or module."""
        if obj.docstring:
            obj.docstring.value = SESSION.sub(fenced, obj.docstring.value)


class Declared(griffe.Extension):
    """The constructors of optimizers, which follow from the settings that a class declares."""

    def on_package(self, *, pkg: griffe.Module, **_: object) -> None:
        """Write its constructor into each class with the decorator `declared`."""
        for module in pkg["optim"].modules.values():
            for each in module.classes.values():
                if any(str(decorator.value) == "declared" for decorator in each.decorators):
                    own = griffe.Function("__init__", parameters=parameters(each.path))
                    each.set_member("__init__", own)


def parameters(path: str) -> griffe.Parameters:
    """The parameters of a class, as it says itself when it is imported."""
    module, _, name = path.rpartition(".")
    found = signature(getattr(import_module(module), name)).parameters.values()
    return griffe.Parameters(
        *(
            griffe.Parameter(
                each.name,
                annotation=None if each.annotation is each.empty else each.annotation,
                kind=griffe.ParameterKind(each.kind.description),
                default=None if each.default is each.empty else repr(each.default),
            )
            for each in found
        )
    )


def fenced(session: re.Match[str]) -> str:
    """A session as a block of code."""
    return f"```pycon\n{REMARK.sub('', session[0])}\n```"
