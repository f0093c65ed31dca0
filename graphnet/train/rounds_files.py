"""Finished rounds on disk: a JSON file for each, which is not trusted when it is read again."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from graphnet.errors import GraphError, LoadError
from graphnet.files import read_file, replace_file
from graphnet.train import schema
from graphnet.train.checkpoint_file import reason_of
from graphnet.train.rounds_table import Round

FORMAT = "graphnet round 1"

_FIELDS = {"format", "settings", "seed", "numbers", "curves", "seconds"}
_MISSING = object()


class KeptRounds:
    """The folder that keeps the finished rounds of one experiment.

    Args:
        directory: created if it is missing.
        settings: of the experiment; rounds with other settings do not belong in the folder.

    Raises:
        GraphError: JSON cannot hold the settings, or there cannot be such a folder.
    """

    def __init__(self, directory: str | Path, settings: Mapping[str, Any]) -> None:
        self.directory = Path(directory)
        try:
            self.settings = json.loads(json.dumps(dict(settings)))  # tuples become lists
            schema.encoded(self.settings)
            self.directory.mkdir(parents=True, exist_ok=True)
        except (TypeError, ValueError, RecursionError) as error:
            raise GraphError(
                f"Settings are kept as JSON, which cannot hold these: {error}."
            ) from None
        except OSError as error:
            raise GraphError(
                f"Finished rounds are kept in a folder; {self.directory} cannot be one: "
                f"{reason_of(error)}."
            ) from None

    def read(self, seeds: Iterable[int]) -> dict[int, Round]:
        """The finished rounds of these seeds; a damaged one is left out with a warning.

        Raises:
            LoadError: a round in the folder has other settings.
        """
        wanted, found = set(seeds), {}
        for path in sorted(self.directory.glob("round-*.json")):
            try:
                result, settings = read_round(path)
            except LoadError as error:
                warnings.warn(f"{error} This round does not count.", stacklevel=3)
                continue
            self._require_same(settings, path)
            if result.seed in wanted:
                found[result.seed] = result
        return found

    def _require_same(self, settings: Mapping[str, Any], path: Path) -> None:
        """Refuse a round that was made with other settings."""
        both = {
            name: (settings.get(name, _MISSING), self.settings.get(name, _MISSING))
            for name in {**settings, **self.settings}
        }
        other = [
            f"{name} is {_short(there)} there and {_short(here)} here"
            for name, (there, here) in both.items()
            if _canonical(there) != _canonical(here)
        ]
        if other:
            raise LoadError(
                f"A folder keeps rounds with the same settings. In {path} {'; '.join(other)}. "
                "Choose another directory, or these settings."
            )

    def keep(self, result: Round) -> None:
        """Write a round; if the disk refuses, there is a warning, and training goes on."""
        path = self.directory / f"round-{result.seed}.json"
        try:
            write_round(path, result, self.settings)
        except OSError as error:
            warnings.warn(f"{path} cannot be written: {reason_of(error)}.", stacklevel=3)


def write_round(path: Path, result: Round, settings: Mapping[str, Any]) -> None:
    """Write a round to a file, in one step.

    Raises:
        OSError: the file cannot be written; the old one is as it was.
    """
    record = schema.encoded({"format": FORMAT, "settings": settings, **asdict(result)})
    record["sha256"] = _digest(record)
    replace_file(path, f"{json.dumps(record, indent=1)}\n".encode())


def read_round(path: Path) -> tuple[Round, dict[str, Any]]:
    """A round and its settings from a file.

    Raises:
        LoadError: the file is damaged, or is not a round.
    """
    try:
        record = schema.parsed(read_file(path, schema.MOST_BYTES, follow=True))
        digest = record.pop("sha256", None) if isinstance(record, dict) else None
        if digest is None or digest != _digest(record):
            raise ValueError("its numbers are not those that were saved (SHA-256)")
        record = _table(schema.decoded(record))
        if set(record) != _FIELDS or record["format"] != FORMAT:
            raise ValueError(f"it is not a {FORMAT}")
        return _checked(record, path), _table(record["settings"])
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {reason_of(error)}.") from None
    except ValueError as error:
        raise LoadError(f"{path} is not an intact round: {error}.") from None


def _checked(record: dict[str, Any], path: Path) -> Round:
    """The round in a record, with every type checked."""
    seed = record["seed"]
    if type(seed) is not int or path.name != f"round-{seed}.json":
        raise ValueError(f"its name is not that of seed {_short(seed)}")
    numbers = {name: _number(value) for name, value in _table(record["numbers"]).items()}
    curves = {name: _curve(value) for name, value in _table(record["curves"]).items()}
    return Round(seed, numbers, curves, _number(record["seconds"]))


def _table(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise ValueError(f"{_short(value)} is in the place of names")
    return value


def _curve(value: Any) -> list[float]:
    if type(value) is not list or not value:
        raise ValueError(f"{_short(value)} is not a curve")
    return [_number(each) for each in value]


def _number(value: Any) -> float:
    if type(value) is not float:
        raise ValueError(f"{_short(value)} is not a number with a point")
    return value


def _canonical(value: Any) -> str:
    """The same text for the same JSON."""
    return "" if value is _MISSING else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _digest(record: Mapping[str, Any]) -> str:
    return sha256(_canonical(record).encode()).hexdigest()


def _short(value: Any) -> str:
    text = "missing" if value is _MISSING else repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
