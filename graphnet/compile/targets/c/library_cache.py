"""Compiled libraries on disk: checked before they are run, bounded, safe with several processes.

A library is the file `<key>-<sha256 of its content>.so`: one rename puts it in place, complete, and
a torn or damaged one does not fit its own name.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from time import time
from typing import NamedTuple

from graphnet.compile.targets.c.private_folder import (
    belongs_to_us,
    native_folder,
    opened,
    problem_of,
    temporary_folder,
    write_problem_of,
)
from graphnet.files import open_file

__all__ = [
    "Contents",
    "LibraryCache",
    "cache_report",
    "clear_cache",
    "open_cache",
    "temporary_cache",
]

MOST_BYTES = 256_000_000
MOST_LIBRARIES = 2_000

_LIBRARY = re.compile(r"[0-9a-f]{64}-([0-9a-f]{64})\.(so|dll)")
_UNFINISHED = re.compile(r"build-\w+")
_SECONDS_OF_A_BUILD = 3600  # an older one was killed
_ZIG = "zig"


class Contents(NamedTuple):
    """How many libraries a cache holds, and their bytes.

    >>> print(Contents(12, 340_000))
    12 libraries, 0.3 MB
    """

    libraries: int
    size: int

    def __str__(self) -> str:
        noun = "library" if self.libraries == 1 else "libraries"
        return f"{self.libraries:,} {noun}, {self.size / 1e6:.1f} MB"


@dataclass(frozen=True)
class LibraryCache:
    """The libraries in a private folder.

    Args:
        folder: where they lie; `open_cache` checks that it is private.
        temporary: whether it is removed with this process.
    """

    folder: Path
    temporary: bool = False

    def find(self, key: str) -> Path | None:
        """The library of a key, which becomes the one used last; damaged ones are removed.

        Raises:
            OSError: the folder cannot be read.
        """
        for path in self._paths():
            if path.name.startswith(key):
                if _is_intact(path):
                    with suppress(OSError):  # where nothing can be written, nothing is removed
                        os.utime(path)
                    return path
                remove(path)
        return None

    def keep(self, key: str, library: Path) -> Path:
        """Move a library into the cache; what this process just compiled is known to be whole.

        Raises:
            OSError: it cannot be moved.
        """
        library.chmod(0o700)  # whatever the umask left to others
        digest = hashlib.sha256(library.read_bytes()).hexdigest()
        return library.replace(self.folder / f"{key}-{digest}{library.suffix}")

    def workspace(self, name: str, source: bytes) -> Path:
        """A new folder for one build, on the disk of the cache, with a source in it.

        Raises:
            OSError: it cannot be written; nothing is left.
        """
        folder = Path(mkdtemp(prefix="build-", dir=self.folder))
        try:
            (folder / name).write_bytes(source)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder

    def variables(self, workspace: Path) -> dict[str, str]:
        """Variables for zig, which keeps its C library, and each program that it has compiled."""
        return {
            "ZIG_GLOBAL_CACHE_DIR": str(self.folder / _ZIG),
            "ZIG_LOCAL_CACHE_DIR": str(workspace),
        }

    def contents(self) -> Contents:
        """How much it holds."""
        sizes = [size for _, size, _ in self._by_use()]
        return Contents(len(sizes), sum(sizes))

    def tidy(self, most: int = MOST_LIBRARIES, most_bytes: int = MOST_BYTES) -> None:
        """Remove what was used longest ago until the rest fits, and remains of killed builds."""
        found = self._by_use()
        size = sum(each for _, each, _ in found)
        for place, (_, each, path) in enumerate(found):
            if len(found) - place <= most and size <= most_bytes:
                break
            remove(path)
            size -= each
        self._remove_unfinished()

    def clear(self) -> Contents:
        """Remove all libraries; returns how many there were. Builds that still run go on."""
        removed = [size for _, size, path in self._by_use() if remove(path)]
        self._remove_unfinished()
        shutil.rmtree(self.folder / _ZIG, ignore_errors=True)
        return Contents(len(removed), sum(removed))

    def _paths(self) -> Iterator[Path]:
        with os.scandir(self.folder) as entries:
            names = [entry.name for entry in entries if _LIBRARY.fullmatch(entry.name)]
        return (self.folder / name for name in names)

    def _by_use(self) -> list[tuple[float, int, Path]]:
        """Time of the last use, size and path of each library, the one used longest ago first."""
        found = []
        with suppress(OSError):  # the folder is missing
            for path in self._paths():
                with suppress(OSError):  # another process removed it
                    status = path.lstat()
                    found.append((status.st_mtime, status.st_size, path))
        return sorted(found)

    def _remove_unfinished(self) -> None:
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                if _UNFINISHED.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                    age = time() - entry.stat(follow_symlinks=False).st_mtime
                    if age > _SECONDS_OF_A_BUILD:
                        shutil.rmtree(entry.path, ignore_errors=True)


def open_cache() -> LibraryCache:
    """The user's cache; where it cannot be used, or not be trusted, a folder of this process.

    Raises:
        OSError: there is no folder at all.
    """
    try:
        return LibraryCache(opened(native_folder()))
    except OSError:
        return temporary_cache()


def temporary_cache() -> LibraryCache:
    """The cache of this process alone.

    Raises:
        OSError: there is no place for temporary files.
    """
    return LibraryCache(temporary_folder(), temporary=True)


def cache_report() -> str:
    """What the user's cache holds, or why it is not used."""
    try:
        folder = native_folder()
        problem = problem_of(folder) or write_problem_of(folder)
    except OSError as error:
        return f"no cache: {error}"
    return (
        f"no cache: {problem}" if problem else f"cache {folder}: {LibraryCache(folder).contents()}"
    )


def clear_cache() -> str:
    """Remove all compiled libraries from the user's cache; returns what was done, in one line."""
    try:
        folder = native_folder()
        problem = problem_of(folder)
    except OSError as error:
        problem = str(error)
    if problem:
        return f"Nothing was removed: {problem}."
    return f"Removed from {folder}: {LibraryCache(folder).clear()}."


def remove(path: Path) -> bool:
    """Remove a library; one that another process removed, or holds, is left to it."""
    try:
        path.unlink()
    except OSError:
        return False
    return True


def _is_intact(path: Path) -> bool:
    """Whether a file is ours alone, and its content fits its name."""
    try:
        with os.fdopen(open_file(path), "rb") as file:
            if not belongs_to_us(os.fstat(file.fileno())):
                return False
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return False
    return path.name.startswith(digest, 65)
