"""A folder of checkpoints: each is complete or absent, whatever ended the program.

A checkpoint is a folder `checkpoint-00000123` of two files. It is written under another name in
the same place and flushed to disk, and only then gets its name.
"""

from __future__ import annotations

import errno
import os
import re
import warnings
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from graphnet.errors import CheckpointError, LoadError
from graphnet.files import sync_folder, write_new
from graphnet.train.checkpoint_file import TENSORS, TEXT, State, packed, read_state, reason_of
from graphnet.validation import require_counts

_NAME = re.compile(r"checkpoint-([0-9]{8,19})(-replaced)?")
_UNFINISHED = re.compile(r"\.checkpoint-[0-9a-f]{16}\.tmp")
_ATTEMPTS = 100


class DamagedCheckpointWarning(UserWarning):
    """The newest checkpoint is damaged; an older one was loaded."""


class Store:
    """The last checkpoints of one run, in a folder of its own.

    Args:
        folder: where; it is created when the first checkpoint is saved.
        keep: how many checkpoints stay, 1 or more.

    Raises:
        RangeError: nothing would be kept.

    >>> import tempfile, torch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(folder)
    ...     for step in (10, 20, 30):
    ...         path = store.save(State(step, {"w": torch.ones(2) * step}, {"lr": 0.1}))
    ...     store.steps, path.name, store.load()
    ([20, 30], 'checkpoint-00000030',
     State(step=30, tensors={'w': tensor([30., 30.])}, values={'lr': 0.1}))
    """

    def __init__(self, folder: str | Path, keep: int = 2) -> None:
        require_counts(keep=keep)
        self.folder = Path(folder)
        self.keep = keep

    @property
    def steps(self) -> list[int]:
        """The steps that have a checkpoint, in ascending order; damaged ones count too."""
        return sorted({step for step, _, _ in self._listing()})

    def save(self, state: State) -> Path:
        """Write a checkpoint, and then delete those that are no longer kept.

        This one and those before it are kept. One of a later step belongs to a past that this run
        left by going back to an earlier checkpoint, and is deleted too.

        Raises:
            CheckpointError: it cannot be written. The older ones are unchanged, and nothing
                unfinished is left.
        """
        files = packed(state)
        try:
            path = self._write(files, state.step)
            self._sweep(state.step)
        except (OSError, ValueError) as error:  # a ValueError for a name that no file can have
            raise CheckpointError(
                f"The checkpoint of step {state.step} cannot be written to {self.folder}: "
                f"{reason_of(error)}. The older ones are unchanged."
            ) from error
        return path

    def load(self) -> State | None:
        """The newest intact checkpoint, or None if there is none at all.

        A damaged one is skipped with a `DamagedCheckpointWarning`.

        Raises:
            LoadError: all are damaged; the message says what is wrong with each.
        """
        for _ in range(_ATTEMPTS):
            listing = self._listing()
            state, wrong = self._newest(listing)
            if not wrong or self._listing() == listing:
                break  # else a run that is saving now removed one: look again
        if wrong and state is None:
            lines = "".join(f"\n  {reason}" for reason in wrong)
            raise LoadError(f"No checkpoint in {self.folder} is intact:{lines}")
        for reason in wrong:
            warnings.warn(f"{reason} An older one is used.", DamagedCheckpointWarning, stacklevel=2)
        return state

    def clean(self, step: int | None = None) -> None:
        """Delete the leftovers of a crash; only for the run that writes here.

        Args:
            step: that of the newest intact checkpoint, if it is known: older ones that are no
                longer kept, and one that was moved aside for another, are deleted as well.

        Raises:
            OSError: it cannot be deleted.
            LoadError: the folder cannot be read.
        """
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if _UNFINISHED.fullmatch(path.name):
                _delete(path)
        if step is not None:
            for name in self._superfluous(step):
                _delete(self.folder / name)

    def _newest(self, listing: list[tuple[int, str, int]]) -> tuple[State | None, list[str]]:
        """The newest intact checkpoint of a listing, and what is wrong with those after it."""
        wrong: list[str] = []
        for step, name, _ in listing:
            try:
                state = read_state(self.folder / name)
                if state.step == step:
                    return state, wrong
                wrong.append(f"{self.folder / name} holds step {state.step}.")
            except LoadError as error:
                wrong.append(str(error))
        return None, wrong

    def _superfluous(self, step: int) -> list[str]:
        """What a save would have deleted after the checkpoint of this step."""
        past = [(each, name) for each, name, _ in self._listing() if each <= step]
        kept = sorted({each for each, _ in past})[-self.keep :]
        return [
            name
            for each, name in past
            if each not in kept or (name != _name(each) and self._is_intact(each))
        ]

    def _is_intact(self, step: int) -> bool:
        try:
            return read_state(self.folder / _name(step)).step == step
        except LoadError:
            return False

    def _listing(self) -> list[tuple[int, str, int]]:
        """Step, name and inode of everything named like a checkpoint, the newest first."""
        found = []
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    match = _NAME.fullmatch(entry.name)
                    if match and entry.name.startswith(_name(int(match[1]))):
                        found.append((int(match[1]), entry.name, entry.inode()))
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise LoadError(f"{self.folder} cannot be read: {reason_of(error)}.") from None
        return sorted(found, key=lambda each: (-each[0], each[1]))

    def _write(self, files: dict[str, bytes], step: int) -> Path:
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            sync_folder(self.folder.parent)
        self.clean()
        beside = self._beside()
        try:
            beside.mkdir()
            for name, data in files.items():
                write_new(beside / name, data)
            sync_folder(beside)
            path = self._move(beside, self.folder / _name(step))
        except BaseException:
            _delete(beside)
            raise
        sync_folder(self.folder)
        return path

    def _move(self, beside: Path, path: Path) -> Path:
        """Give a checkpoint its name; an older one of the same step is moved aside until then."""
        if os.path.lexists(path):
            if not _is_ours(path):
                raise OSError(errno.EEXIST, f"{path} is not a checkpoint", str(path))
            aside = path.with_name(f"{path.name}-replaced")
            _delete(aside)
            path.rename(aside)
        return beside.rename(path)

    def _sweep(self, step: int) -> None:
        """Delete the checkpoints that are not kept."""
        past = [each for each in self._listing() if _is_ours(self.folder / each[1])]
        kept = {each: name for each, name, _ in reversed(past) if each <= step}
        names = [kept[each] for each in sorted(kept)[-self.keep :]]
        for other, name, _ in past:
            if name not in names:
                try:
                    _delete((self.folder / name).rename(self._beside()))
                except OSError:
                    if other > step:  # it would be loaded instead of this one
                        raise

    def _beside(self) -> Path:
        return self.folder / f".checkpoint-{token_hex(8)}.tmp"


def _name(step: int) -> str:
    return f"checkpoint-{step:08d}"


def _is_ours(folder: Path) -> bool:
    """Whether a folder holds only files of a checkpoint, so that it may be deleted."""
    try:
        with os.scandir(folder) as entries:
            return not folder.is_symlink() and all(
                entry.name in (TENSORS, TEXT) and not entry.is_dir(follow_symlinks=False)
                for entry in entries
            )
    except OSError:
        return False


def _delete(folder: Path) -> None:
    """Delete a checkpoint and never anything else; what cannot be deleted now can be later."""
    if _is_ours(folder):
        with suppress(OSError):
            for name in (TENSORS, TEXT):
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()
