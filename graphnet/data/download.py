"""Files of data sets: found on this machine, or downloaded by pooch and checked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any
from warnings import catch_warnings, filterwarnings

from graphnet.errors import LoadError
from graphnet.files import user_cache

VARIABLE = "GRAPHNET_DATA"
"""The environment variable that names the folder of all data sets."""

PATIENCE = 30  # seconds without an answer


@dataclass(frozen=True)
class Source:
    """A file that mirrors offer in compressed form.

    Args:
        name: of the file without .gz.
        md5: the checksum of name.gz.
        raw_md5: the checksum of the unpacked file.
    """

    name: str
    md5: str
    raw_md5: str


def data_folder(root: str | Path | None = None) -> Path:
    """Where data sets are kept: `root`, else GRAPHNET_DATA, else the user's cache.

    >>> data_folder("data/of/mine").parts
    ('data', 'of', 'mine')
    """
    return Path(root or os.environ.get(VARIABLE) or user_cache()).expanduser()


def fetch(sources: Sequence[Source], folder: Path, mirrors: Sequence[str]) -> list[Path]:
    """The paths of all files, unpacked or as .gz; missing ones are downloaded first.

    A file with a wrong checksum counts as missing. A download is moved into place only after its
    own checksum has been verified.

    Raises:
        LoadError: no mirror provided a file; the message lists what to put where.
    """
    return [
        _found(source, folder) or _download(source, folder, mirrors, sources) for source in sources
    ]


def _found(source: Source, folder: Path) -> Path | None:
    """The file in the folder that has the right checksum."""
    pooch = _pooch()

    files = {folder / source.name: source.raw_md5, folder / f"{source.name}.gz": source.md5}
    for path, md5 in files.items():
        with suppress(OSError):  # it cannot be read
            if pooch.file_hash(str(path), alg="md5") == md5:
                return path
    return None


def _download(
    source: Source, folder: Path, mirrors: Sequence[str], sources: Sequence[Source]
) -> Path:
    """The file from the first mirror that has it."""
    pooch = _pooch()
    name, reasons = f"{source.name}.gz", []
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{name}"
        reader = pooch.HTTPDownloader(timeout=PATIENCE)
        try:
            return Path(pooch.retrieve(url, f"md5:{source.md5}", name, folder, downloader=reader))
        except (OSError, ValueError) as error:  # no connection, no folder; a wrong checksum
            reasons.append(f"{url}: {type(error).__name__}, {shorten(str(error), 160)}")
    missing = [other for other in sources if not _found(other, folder)]
    raise LoadError(_error_message(source, folder, reasons, missing))


def _error_message(
    source: Source, folder: Path, reasons: Sequence[str], missing: Sequence[Source]
) -> str:
    damaged = [
        f"{path} exists, but its checksum is wrong, or it cannot be read."
        for path in (folder / source.name, folder / f"{source.name}.gz")
        if path.exists()
    ]
    lines = [
        f"{source.name}.gz could not be downloaded.",
        *damaged,
        *(reasons or ["There was no mirror to try."]),
        f"Without a network, put these files into {folder}, as .gz or unpacked:",
        *(f"  {other.name}.gz  (MD5 {other.md5})" for other in missing),
        f"The argument `root` or the environment variable {VARIABLE} names another folder.",
    ]
    return "\n".join(lines)


def _pooch() -> Any:
    """The module pooch, without the warning that a notebook has no widgets for its bars."""
    with catch_warnings():
        filterwarnings("ignore", "IProgress not found")
        import pooch
    return pooch
