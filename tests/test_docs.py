"""Every Python block of every page in docs/ runs, in the order of the page; the others hold."""

from __future__ import annotations

import ast
import doctest
import hashlib
import importlib.util
import io
import math
import re
import runpy
import shlex
import struct
import subprocess
import sys
import tomllib
import warnings
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from unittest import mock

import pytest
import torch
from laws import LEVELS
from ops.cases import Case

import graphnet as gn
from graphnet.data import digits
from graphnet.data.download import Source

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
EVERY = ["../README.md", "../CONTRIBUTING.md", *PAGES]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROGRAMS = ("bash", "graphnet", "jupyter", "mkdocs", "mypy", "pip", "pytest", "python", "ruff")


def text_of(name):
    return (DOCS / name).read_text(encoding="utf-8")


def run_page(text, name):
    """Run the blocks of a page one after the other, as one program; returns how many there are."""
    namespace = {"__name__": "page"}
    count = 0
    for found in BLOCK.finditer(text):
        source, line = found[1], text[: found.start(1)].count("\n")
        if source.lstrip().startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(source, namespace, name, name, line)
            results = doctest.DocTestRunner(
                optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
            ).run(test, clear_globs=False)
            assert not results.failed, f"{name}, line {line}"
            namespace.update(test.globs)
        else:
            # Empty lines in front, so that a traceback shows the line of the page.
            exec(compile("\n" * line + source, str(DOCS / name), "exec"), namespace)
        count += 1
    return count


def write_digits(folder):
    """Files of the names and sizes of MNIST's, without its digits; returns their sums."""
    sources = []
    for source in digits.FILES:
        rows = 60_000 if source.name.startswith("train") else 10_000
        shape = (rows, 28, 28) if "images" in source.name else (rows,)
        head = bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
        data = head + bytes(range(10)) * (math.prod(shape) // 10)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / source.name).write_bytes(data)
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        sources.append(Source(source.name, md5="", raw_md5=md5))
    return tuple(sources)


@pytest.mark.parametrize("name", PAGES)
def test_the_code_of_a_page_runs(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # a page may write files
    if name == "data.md":
        monkeypatch.setenv("GRAPHNET_DATA", str(tmp_path))
        monkeypatch.setattr(digits, "FILES", write_digits(tmp_path / "MNIST" / "raw"))
    run_page(text_of(name), name)


def test_the_page_on_operations_says_what_is_printed(capsys):
    """A comment behind a print is what it prints."""
    text = text_of("adding-an-operation.md")
    assert run_page(text, "adding-an-operation.md") >= 8
    printed = capsys.readouterr().out
    for promised in re.findall(r"^print\(.*\) +# (.*)$", text, re.MULTILINE):
        assert promised in printed


def test_the_row_of_the_page_on_operations_is_one():
    (row,) = re.findall(r"^    (Case\(.*\)),$", text_of("adding-an-operation.md"), re.MULTILINE)

    def op():
        """What the page builds has the same place in the row."""

    case = eval(row, {"Case": Case, "torch": torch, "Softsign": op})
    (x,) = case.tensors()
    assert case.torch(x).equal(x / (1 + x.abs()))


def programs_of(name):
    """The blocks of a page that need other tools."""
    return [source for language, source in FENCE.findall(text_of(name)) if language == "py"]


def test_a_table_is_trained_on(tmp_path, monkeypatch, capsys):
    """Of three kinds of flowers, which two numbers tell apart."""
    pytest.importorskip("polars", reason="needs: pip install polars")
    rows = [f"{k % 3 + k / 300},{2 - k % 3},{'abc'[k % 3]}" for k in range(150)]
    text = "\n".join(["length,width,kind", *rows, ""])
    (tmp_path / "flowers.csv").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "page"}
    for program in programs_of("data-sources.md"):
        exec(program, namespace)
    assert namespace["split"].stratify
    assert "validation accuracy" in capsys.readouterr().out
    assert namespace["history"]["loss"][-1] < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["dask", "ray"])
def test_the_program_for_a_cluster_runs(tool, tmp_path):
    """With fewer rounds than on the page."""
    pytest.importorskip(tool, reason=f"needs: pip install {tool}")
    (program,) = (each for each in programs_of("rounds.md") if f'"runs/{tool}"' in each)
    assert ", 100," in program
    first = BLOCK.search(text_of("rounds.md"))[1].replace("make, 5", "make, 1")
    source = first.replace("epochs=60", "epochs=2") + program.replace(", 100,", ", 3,")
    (tmp_path / "program.py").write_text(
        source.replace('init(address="auto")', "init(num_cpus=2)"), encoding="utf-8"
    )
    subprocess.run([sys.executable, "program.py"], check=True, timeout=300, cwd=tmp_path)
    assert len(list((tmp_path / "runs" / tool).glob("round-*.json"))) == 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # those of the other tools
def test_the_programs_for_other_drawing_tools_run(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    for tool in ("torchview", "torchviz", "keras", "pydot"):
        pytest.importorskip(tool, reason=f"needs: pip install {tool}")
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "page"}
    for number, program in enumerate(programs_of("drawing-comparison.md"), 1):
        exec(program, namespace)
        (picture,) = tmp_path.glob("siamese*.png")
        assert picture.stat().st_size > 1000
        picture.rename(tmp_path / f"{number}.png")
    assert number == 3


def test_the_page_on_c_says_what_is_printed(tmp_path, monkeypatch, capsys):
    """The reports: all names, and bytes that are nearly those of now."""
    monkeypatch.chdir(tmp_path)
    text = text_of("exporting-to-c.md")
    run_page(text, "exporting-to-c.md")
    pattern = r"^(\w+: .*_predict|flash.*|  \w.*|RAM.*|files: .*)$"
    printed = re.findall(pattern, capsys.readouterr().out, re.MULTILINE)
    blocks = [source for language, source in FENCE.findall(text) if language == "text"]
    promised = re.findall(pattern, "\n".join(b for b in blocks if "\nfiles: " in b), re.MULTILINE)
    assert len(promised) == 3 * 9
    for there, here in zip(promised, printed, strict=True):
        digits = [int(re.sub(r"\D", "", each) or 0) for each in (there, here)]
        assert re.sub(r"[\d, ]", "", there) == re.sub(r"[\d, ]", "", here)
        assert abs(digits[0] - digits[1]) <= 0.2 * digits[1], (there, here)


# blocks that are not run: what is printed, commands, and programs for tools that are not here


@pytest.mark.parametrize("name", EVERY)
def test_every_other_block_holds(name):
    """`py`: Python for another tool; `c`, `js`, `text`: what is printed; no name: commands."""
    for found in FENCE.finditer(text_of(name)):
        language, source = found.groups()
        assert language in ("python", "py", "c", "js", "text", ""), found[0]
        if language == "py":
            ast.parse(source)
        elif not language:
            lines = [line for line in source.splitlines() if line]
            assert [line for line in lines if not line.startswith(PROGRAMS)] == []


@pytest.mark.parametrize("name", EVERY)
def test_every_command_of_a_page_can_be_run(name):
    text = text_of(name)
    saved = {*re.findall(r"[Ss]ave (?:it|this) as `(.+?)`", text)}
    for command in commands(text):
        assert set(misfits(command)) <= saved, command


def commands(text):
    """The commands in blocks without a name, and in the text."""
    lines = [
        line for found in FENCE.finditer(text) if not found[1] for line in found[2].split("\n")
    ]
    quoted = re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    for line in [*lines, *quoted]:
        for command in line.split(" && "):
            if command.split(" ")[0] in PROGRAMS and (" " in command or line in lines):
                yield command


def misfits(command):
    """What a command names that is not there: files, modules, options, extras."""
    program, *words = shlex.split(command)
    if program == "pip":
        known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        extras = re.findall(r"\[(.+?)\]", command)
        yield from set(extras) - set(known["optional-dependencies"])
        return
    for before, word in zip(["", *words], words, strict=False):
        is_file = re.search(r"/|\.py$|\.yml$", word) and before != "--out"
        if is_file and not (ROOT / word).exists():
            yield word
    if program == "python":
        target = words[:2] if words[0] == "-m" else words[:1]
        target += [word for word in words[2:3] if words[1] == "graphnet" and word[0] != "-"]
        if words[0] == "-m" and importlib.util.find_spec(words[1]) is None:
            yield words[1]
        options = {word for word in words[1:] if word.startswith("--")}
        yield from (option for option in options if option not in help_of(*target))


@cache
def help_of(*target):
    """What `--help` says, by this process, which has imported torch."""
    printed, is_module = io.StringIO(), target[0] == "-m"
    words = target[2:] if is_module else target[1:]
    with (
        mock.patch.object(sys, "argv", [target[0], *words, "--help"]),
        redirect_stdout(printed),
        torch.set_grad_enabled(torch.is_grad_enabled()),  # a program may turn it off
        warnings.catch_warnings(),
        pytest.raises(SystemExit) as end,
    ):
        warnings.simplefilter("ignore", RuntimeWarning)  # a test has imported the module
        if is_module:
            runpy.run_module(target[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(str(ROOT / target[0]), run_name="__main__")
    assert end.value.code in (0, None), target
    return printed.getvalue()


@pytest.mark.parametrize("name", EVERY)
def test_every_link_to_a_file_leads_to_one(name):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", FENCE.sub("", text_of(name)))
    files = [link for link in links if "://" not in link]
    assert [link for link in files if not ((DOCS / name).parent / link).exists()] == []


# the page on design tells what the source is


def test_the_reading_order_names_what_is_there():
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", text_of("design.md"), re.MULTILINE)
    assert sum(int(minutes) for minutes, _, _ in rows) <= 30
    for _, files, seek in rows:
        folder = Path(gn.__file__).parent
        paths = [folder / file for file in re.findall(r"`(.+?)`", files)]
        source = "".join(path.read_text(encoding="utf-8") for path in paths)
        names = re.findall(r"`(\w+)`", seek)
        assert [name for name in names if not re.search(rf"\b{name}\b", source)] == []


def test_the_rooms_stand_in_the_order_that_the_laws_keep():
    block = re.search(r"^    errors\n(?:    .+\n)+", text_of("design.md"), re.MULTILINE)[0]
    written = [set(line.strip().split(", ")) for line in block.splitlines()]
    unlisted = {"", "__main__", "torch_hints", "files", "version"}
    unlisted |= {"console_text", "ipython", "notebook"}
    assert written == [level - unlisted for level in LEVELS if level - unlisted]


def test_faults_of_a_page_are_found():
    with pytest.raises(ZeroDivisionError):
        run_page("a\n\n```python\nx = 0\n```\n\n```python\n1 / x\n```\n", "page.md")
    with pytest.raises(AssertionError, match="line 1"):
        run_page("```python\n>>> 1 + 1\n3\n```\n", "page.md")


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("python tset.py", ["tset.py"]),
        ("python -m graphnet.bnech", ["graphnet.bnech"]),
        ("python test.py --epoches 3", ["--epoches"]),
        ("pytest tests/test_nothing.py", ["tests/test_nothing.py"]),
        ('pip install -e ".[dve]"', ["dve"]),
        ("python test.py --epochs 3", []),
    ],
)
def test_faults_of_a_command_are_found(command, wrong):
    page = f"Run `{command}`.\n\n```\n{command} && pytest\n```\n"
    assert list(commands(page)) == [command, "pytest", command]
    assert list(misfits(command)) == wrong
