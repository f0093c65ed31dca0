"""What a class has handed in: the students of a folder, and the source of their files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from graphnet.errors import GraphError
from graphnet.files import read_file

ENDINGS = (".py", ".ipynb")
_LARGEST = 2_000_000  # bytes of a file
_IGNORED = ("__MACOSX", "__pycache__")


@dataclass(frozen=True)
class Submission:
    """The files of one student.

    Attributes:
        student: the name of the file or folder.
        files: Python files and notebooks.
        others: names of files that cannot be answers.
    """

    student: str
    files: tuple[Path, ...]
    others: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why nothing can be graded; "" if something can."""
        if self.files:
            return ""
        there = f"there is {', '.join(self.others)}" if self.others else "the folder is empty"
        return f"no file ends in .py or .ipynb: {there}"

    def files_for(self, exercise: str) -> tuple[Path, ...]:
        """The files named after an exercise, or all if there are none.

        >>> Submission("ada", (Path("mul.py"), Path("relu.py"))).files_for("Mul")[0].name
        'mul.py'
        """
        key = exercise.lower()
        named = tuple(path for path in self.files if _plain(path.stem) in (key, f"my{key}"))
        return named or self.files


def submissions(folder: Path) -> list[Submission]:
    """The students of a folder by name: a file `ada.py` or `ada.ipynb`, or a folder `ada`.

    Args:
        folder: the folder; hidden files in it are left out.

    Raises:
        GraphError: there is no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise GraphError(f"There is no folder {str(folder)!r}: name the one with the submissions.")
    found: dict[str, list[Path]] = {}
    for entry in sorted(folder.iterdir()):
        if _counts(entry):
            name = entry.name if entry.is_dir() else entry.stem
            found.setdefault(name, []).extend(_files(entry))
    if not found:
        raise GraphError(
            f"The folder {str(folder)!r} is empty: it should hold a file ada.py or a "
            "folder ada/ for each student."
        )
    return [_submission(name, files) for name, files in found.items()]


def _submission(student: str, files: list[Path]) -> Submission:
    answers = tuple(path for path in files if path.suffix in ENDINGS)
    return Submission(student, answers, tuple(p.name for p in files if p not in answers))


def _files(entry: Path) -> Iterator[Path]:
    """A file itself, or all files of a folder."""
    if not entry.is_dir():
        yield entry
    elif not entry.is_symlink():
        for each in sorted(entry.iterdir()):
            if _counts(each):
                yield from _files(each)


def _counts(entry: Path) -> bool:
    return entry.name not in _IGNORED and not entry.name.startswith(".")


def source_of(path: Path) -> str:
    """The Python source of a file, or of the code cells of a notebook.

    In a notebook, lines for IPython, which begin with % or !, become comments.

    Raises:
        GraphError: the file is too large, is not text in UTF-8, or is no notebook.
    """
    try:
        text = read_file(path, limit=_LARGEST).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise GraphError(f"{path.name} is not a text in UTF-8: {error.reason}.") from error
    except OSError as error:
        raise GraphError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    if "\0" in text:
        raise GraphError(f"{path.name} is not a text: it has null characters.")
    return text if path.suffix == ".py" else _code_of(path, text)


def _code_of(path: Path, text: str) -> str:
    """The code cells of a notebook as one program."""
    try:
        cells = json.loads(text)["cells"]
        codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise GraphError(f"{path.name} is not a notebook.") from error
    lines = "\n\n".join(codes).splitlines()
    return "\n".join(f"# {line}" if line.startswith(("%", "!", "?")) else line for line in lines)


def _plain(name: str) -> str:
    """A name without capitals, underscores and the like."""
    return "".join(filter(str.isalnum, name.lower()))
