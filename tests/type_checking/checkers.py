"""Both type checkers on a folder of files, and the Python blocks of the documentation as files."""

from __future__ import annotations

import doctest
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Finding(NamedTuple):
    """What a checker reports of a line."""

    file: str
    line: int
    rule: str
    message: str


def program_of(text: str) -> str:
    """The Python blocks of a page as one program, each line where it stands on the page."""
    lines = [""] * (text.count("\n") + 1)
    for found in BLOCK.finditer(text):
        source, first = found[1], text[: found.start(1)].count("\n")
        if source.lstrip().startswith(">>>"):
            examples = doctest.DocTestParser().get_examples(source)
            parts = [(first + each.lineno, each.source) for each in examples]
        else:
            parts = [(first, source)]
        for start, part in parts:
            for place, line in enumerate(part.splitlines(), start):
                lines[place] = line
    return "\n".join(lines).rstrip() + "\n" if any(lines) else ""


def extract_pages(folder: Path) -> dict[str, Path]:
    """Write the program of each page that has one; returns the pages by the names of the files."""
    pages = {}
    for page in PAGES:
        if program := program_of(page.read_text(encoding="utf-8")):
            name = re.sub(r"\W", "_", page.relative_to(ROOT).with_suffix("").as_posix()) + ".py"
            (folder / name).write_text(program, encoding="utf-8")
            pages[name] = page
    return pages


def mypy(folder: Path, cache: Path) -> list[Finding]:
    """What `mypy --strict` reports of the files in a folder, with the settings of this project."""
    command = [sys.executable, "-m", "mypy", "--strict", "--output=json"]
    settings = [f"--config-file={ROOT / 'pyproject.toml'}", f"--cache-dir={cache}"]
    text = output_of([*command, *settings, *map(str, sorted(folder.glob("*.py")))])
    reports = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [
        Finding(Path(each["file"]).name, each["line"], each["code"], each["message"])
        for each in reports
        if each["severity"] == "error"
    ]


def pyright(folder: Path) -> list[Finding]:
    """What pyright reports of the files in a folder in its standard mode."""
    settings = {
        "typeCheckingMode": "standard",
        "extraPaths": [str(ROOT)],
        "pythonVersion": "3.11",
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    report = json.loads(output_of([*command, "--project", str(folder)]))
    return [
        Finding(
            Path(each["file"]).name,
            each["range"]["start"]["line"] + 1,
            each.get("rule", "syntax"),
            each["message"],
        )
        for each in report["generalDiagnostics"]
        if each["severity"] == "error"
    ]


def output_of(command: list[str]) -> str:
    """What a checker prints; it ends with 0 without findings, and with 1 with some."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "MYPYPATH": str(ROOT)}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{command[2]} failed: {done.stdout}{done.stderr}")
    return done.stdout
