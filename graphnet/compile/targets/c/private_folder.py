"""The folder of compiled libraries: what lies in it is run, so only its user may write there."""

from __future__ import annotations

import atexit
import os
import shutil
import stat
from pathlib import Path
from tempfile import mkdtemp

from graphnet.files import user_cache

__all__ = [
    "VARIABLE",
    "belongs_to_us",
    "native_folder",
    "opened",
    "problem_of",
    "temporary_folder",
    "write_problem_of",
]

VARIABLE = "GRAPHNET_NATIVE"
"""The environment variable that names another folder."""

_TEMPORARY: dict[int, Path] = {}
"""The folder of each process, by its number: a forked process makes its own."""


def native_folder() -> Path:
    """Where compiled libraries are kept: GRAPHNET_NATIVE, else a part of the user's cache.

    Raises:
        OSError: the user has no home.
    """
    chosen = os.environ.get(VARIABLE)
    try:
        return (Path(chosen) if chosen else user_cache() / "native").expanduser()
    except RuntimeError as error:
        raise FileNotFoundError(str(error)) from error


def opened(folder: Path) -> Path:
    """A folder without links in its path; it is made if it is missing.

    Raises:
        OSError: it cannot be made, or others may write there.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    problem = problem_of(folder)
    if problem:
        raise PermissionError(problem)
    return folder.resolve(strict=True)


def problem_of(folder: Path) -> str:
    """Why a folder cannot be trusted; an empty text if it can, or if it is missing.

    The folder must belong to this user, and nobody else may write in it, or exchange it in a folder
    above. A link to it must belong to this user, too.

    Raises:
        OSError: it cannot be read.
    """
    if os.name != "posix" or not os.path.lexists(folder):
        return ""
    status = folder.stat()  # an OSError for links in a circle, which `resolve` has not everywhere
    real = folder.resolve(strict=True)
    if {folder.lstat().st_uid, status.st_uid} != {os.geteuid()}:
        return f"{folder} belongs to another user"
    if not stat.S_ISDIR(status.st_mode):
        return f"{folder} is not a folder"
    if not belongs_to_us(status):
        return f"{folder} is writable by others"
    for above in real.parents:
        mode = above.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            return f"{above}, above {folder}, is writable by others"
    return ""


def write_problem_of(folder: Path) -> str:
    """Why nothing can be written to a folder, or why it cannot be made; else an empty text."""
    above = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return ""
    return f"{folder} cannot be written"


def belongs_to_us(status: os.stat_result) -> bool:
    """Whether a file or a folder is this user's, and nobody else may write it."""
    if os.name != "posix":
        return True  # Windows keeps the folders of a user from others
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def temporary_folder() -> Path:
    """A private folder of this process, which is removed when it ends.

    Raises:
        OSError: there is no place for temporary files, or others could exchange them.
    """
    owner = os.getpid()
    folder = _TEMPORARY.get(owner)
    if folder is None or not folder.is_dir():
        made = Path(mkdtemp(prefix="graphnet-native-"))
        atexit.register(_remove, made, owner)
        made = opened(made)
        _TEMPORARY[owner] = folder = made  # two threads at once: both folders are removed
    return folder


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
