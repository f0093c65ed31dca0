"""Pictures in folders, one folder for each class."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from graphnet.data.arrays import picture
from graphnet.errors import GraphError, LoadError, RangeError
from graphnet.validation import must_be, require_integers

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""The files that are taken for pictures."""


class ImageFolder(Dataset[tuple[Tensor, int]]):
    """The pictures of a folder that has a subfolder for each class, read when they are used.

    An item is the pair (picture, class): float from 0 to 1, (channels, height, width), and an int.
    Pillow reads the files (extra `images`).

    Args:
        root: the folder. The names of its subfolders in alphabetical order are the classes.
        size: (height, width) to bring all pictures to; None to leave them as they are, which must
            be of one size then.
        mode: how Pillow names what a pixel is: "RGB", "L" for grey, "RGBA".
        transform: a function of each picture, such as a random crop; None for none.

    Attributes:
        root: the folder.
        classes: the names of the classes.
        paths: the files.
        targets: the class of each file.

    Raises:
        LoadError: there is no such folder, or no picture in it.
        RangeError: the size is not two integers.
        GraphError: Pillow is not installed.
    """

    def __init__(
        self,
        root: str | PathLike[str],
        *,
        size: tuple[int, int] | None = None,
        mode: str = "RGB",
        transform: Callable[[Tensor], Any] | None = None,
    ) -> None:
        _pillow()
        if mode not in ("RGB", "L", "RGBA"):
            raise RangeError(must_be("mode", "'RGB', 'L' or 'RGBA'", mode))
        if size is not None and (len(require_integers("size", size)) != 2 or min(size) < 1):
            raise RangeError(must_be("size", "(height, width), each 1 or more", size))
        self.root, self._size, self._mode, self._transform = Path(root), size, mode, transform
        try:
            folders = sorted(each for each in self.root.iterdir() if each.is_dir())
        except OSError as error:
            raise LoadError(f"{root} is no folder of pictures: {error.strerror}.") from None
        self.classes = [each.name for each in folders]
        self.paths: list[Path] = []
        self.targets: list[int] = []
        for place, folder in enumerate(folders):
            found = [each for each in folder.rglob("*") if each.suffix.lower() in SUFFIXES]
            self.paths += sorted(found)
            self.targets += [place] * len(found)
        if not self.paths:
            raise LoadError(
                f"{root} has no pictures: they are in a subfolder for each class, such as "
                f"{self.root / 'cat' / '1.png'}, and end in {', '.join(sorted(SUFFIXES))}."
            )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        """The picture at a place, and its class.

        Raises:
            LoadError: the file is no picture, or is damaged.
        """
        path, Image = self.paths[place], _pillow()  # noqa: N806 - a module of Pillow
        try:
            with Image.open(path) as opened:
                image = opened.convert(self._mode)
        except (OSError, SyntaxError) as error:  # Pillow raises both for damaged files
            raise LoadError(f"{path} cannot be read as a picture: {error}") from None
        if self._size is not None:
            image = image.resize((self._size[1], self._size[0]))
        pixels = picture(image)
        return pixels if self._transform is None else self._transform(pixels), self.targets[place]

    @property
    def fingerprint(self) -> str:
        """What distinguishes these data from others: their files."""
        names = (f"{path.relative_to(self.root)} {path.stat().st_size}" for path in self.paths)
        return "\n".join([f"{self._mode} {self._size}", *names])


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise GraphError(
            "Pillow, which reads pictures, is not installed: pip install 'graphnet[images]'."
        ) from error
    return Image
