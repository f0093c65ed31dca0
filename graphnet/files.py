"""Files that are written completely or not at all, and files that are read without trust.

Whenever and however the program ends, a reader finds the old content or the new one.
All errors are an OSError.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from secrets import token_hex

_BINARY = getattr(os, "O_BINARY", 0)  # each system has some of these
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)


def user_cache() -> Path:
    """The folder of graphnet in the user's cache; it need not exist, and may begin with `~`."""
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("graphnet"))


def write_new(path: Path, data: bytes) -> None:
    """Write a file that does not exist yet; on return the disk holds it.

    Raises:
        OSError: something already exists there, the disk is full, or it may not be written.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY | _NOFOLLOW, 0o666)
    try:
        rest = memoryview(data)
        while rest:  # a call may write only a part
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_file(path: str | Path, data: bytes) -> None:
    """Write a file in one step: an interruption, or a full disk, leaves the old one.

    The file keeps its permissions, and a link to it stays a link.

    Raises:
        OSError: it cannot be written, its folder does not exist, or a folder or a device is in its
            place.
    """
    target = Path(path).resolve()
    for folder in (Path(path).parent, target.parent):
        if not folder.exists():
            text = "There is no such folder; folder.mkdir(parents=True) makes it"
            raise FileNotFoundError(errno.ENOENT, text, str(folder))
    exists = target.exists()
    if exists and not target.is_file():
        raise OSError(errno.EINVAL, "Not a regular file", str(target))
    beside = target.parent / f".{target.name[:40]}.{token_hex(8)}.tmp"
    try:
        write_new(beside, data)
        if exists:
            beside.chmod(stat.S_IMODE(target.stat().st_mode))
        beside.replace(target)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename == str(beside):
            error.filename = str(target)  # nobody has asked for the other
        raise
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the disk holds the names in a folder: only then is a rename safe.

    Raises:
        OSError: the disk refuses.
    """
    if os.name == "nt":  # Windows has no such call
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network disks cannot do it
            raise
    finally:
        os.close(handle)


def read_file(path: str | Path, limit: int | None = None, follow: bool = False) -> bytes:
    """The content of a regular file; reading takes only as much memory as the file is large.

    Args:
        path: the file; a device or a pipe is refused, and does not block.
        limit: the largest size in bytes that is read.
        follow: True to also read through a symbolic link.

    Raises:
        OSError: it cannot be read, or is refused.
        ValueError: no file can have such a name.
    """
    handle = open_file(path, follow)
    try:
        size = os.fstat(handle).st_size
        if limit is not None and size > limit:
            raise OSError(errno.EFBIG, f"Larger than {limit:,} bytes", str(path))
        return _read(handle, size)
    finally:
        os.close(handle)


def open_file(path: str | Path, follow: bool = False) -> int:
    """A regular file opened for reading, as a handle of the system.

    Args:
        path: the file; a device or a pipe is refused, and does not block.
        follow: True to also read through a symbolic link.

    Raises:
        OSError: it cannot be opened, or is refused.
        ValueError: no file can have such a name.
    """
    handle = os.open(path, os.O_RDONLY | _BINARY | _NONBLOCK | (0 if follow else _NOFOLLOW))
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        kind = "directory" if stat.S_ISDIR(mode) else "device"
        raise OSError(errno.EINVAL, f"Is a {kind}", str(path))
    return handle


def _read(handle: int, size: int) -> bytes:
    """This many bytes of a file, or fewer if it was cut off in the meantime."""
    parts = []
    while size and (part := os.read(handle, size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
