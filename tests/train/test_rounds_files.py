"""Files of rounds: what is written can be read back, and nothing else is accepted."""

from __future__ import annotations

import json
import os
import random
from hashlib import sha256
from math import inf, nan

import pytest

from graphnet.errors import LoadError
from graphnet.train.rounds_files import KeptRounds, read_round, write_round
from graphnet.train.rounds_table import Round

RESULT = Round(3, {"x": 0.1 + 0.2, "$odd": -0.0, "ümlaut": 5e-324}, {"y": [1.0, inf]}, 1.5)
SETTINGS = {"lr": 0.1, "sizes": [2, 25], "deep": {"a": [None, True, "é"]}}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "round-3.json"
    write_round(path, RESULT, SETTINGS)
    return path


def test_a_round_comes_back_bit_for_bit(path):
    result, settings = read_round(path)
    assert repr(result) == repr(RESULT)  # -0.0 too
    assert settings == SETTINGS
    assert [each.name for each in path.parent.iterdir()] == ["round-3.json"]


def test_nan_comes_back(path):
    write_round(path, Round(3, {"x": nan, "y": -inf}, {"c": [nan]}, 1.0), {})
    result, _ = read_round(path)
    assert (
        repr(result) == "Round(seed=3, numbers={'x': nan, 'y': -inf}, curves={'c': [nan]}, "
        "seconds=1.0)"
    )


def test_damage_is_never_read_silently(path):
    data, chosen = path.read_bytes(), random.Random(0)
    refused = 0
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << chosen.randrange(8)
        refused += self_or_refused(path, bytes(changed))
    for size in range(len(data) - 1):
        assert self_or_refused(path, data[:size])
    assert refused > 0.8 * len(data)  # the rest changes spaces
    assert self_or_refused(path, data + b"x")


def self_or_refused(path, data):
    """True if a file is refused; else it must hold the same as before."""
    path.write_bytes(data)
    try:
        result, settings = read_round(path)
    except LoadError:
        return True
    assert repr((result, settings)) == repr((RESULT, SETTINGS))
    return False


def signed(**changes):
    """A record with a right checksum: someone meant it."""
    record = {
        "format": "graphnet round 1",
        "settings": {},
        "seed": 3,
        "numbers": {"x": 1.0},
        "curves": {},
        "seconds": 1.0,
    }
    return summed({key: value for key, value in {**record, **changes}.items() if value != "away"})


def summed(record):
    """A record and its checksum."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return json.dumps({**record, "sha256": sha256(text.encode()).hexdigest()}).encode()


HOSTILE = {
    "nothing": b"",
    "no JSON": b"PK\x03\x04",
    "not UTF-8": b'{"\xff": 1}',
    "a list": b"[]",
    "null": b"null",
    "no checksum": b"{}",
    "a checksum of another type": b'{"sha256": 5}',
    "depth": b"[" * 100_000,
    "NaN": b'{"x": NaN}',
    "a long int": b'{"x": ' + b"9" * 5000 + b"}",
    "twice a key": b'{"x": 1, "x": 2}',
    "a float instead of names": summed({"$float": "7ff8000000000000"}),
    "another format": signed(format="graphnet round 2"),
    "another seed": signed(seed=4),
    "a seed that is true": signed(seed=True),
    "a path as a seed": signed(seed="../3"),
    "a field too few": signed(seconds="away"),
    "a field too many": signed(more=1),
    "settings of another type": signed(settings=[1]),
    "numbers of another type": signed(numbers=[1.0]),
    "an int": signed(numbers={"x": 1}),
    "a text": signed(numbers={"x": "1.0"}),
    "a tensor": signed(numbers={"x": {"$float": "zz"}}),
    "an empty curve": signed(curves={"x": []}),
    "a curve of texts": signed(curves={"x": ["1"]}),
    "a curve of another type": signed(curves={"x": 1.0}),
    "seconds of another type": signed(seconds=None),
}


def test_a_signed_record_is_read(path):
    path.write_bytes(signed())
    assert read_round(path)[0] == Round(3, {"x": 1.0}, {}, 1.0)


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused(path, data):
    path.write_bytes(data)
    with pytest.raises(LoadError, match=r"round-3\.json is not an intact round"):
        read_round(path)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "round-3.json"
    with pytest.raises(LoadError, match="cannot be read"):
        read_round(path)
    os.mkfifo(path)  # would block
    with pytest.raises(LoadError, match="cannot be read"):
        read_round(path)


def test_other_files_in_the_folder_do_not_matter(path):
    (path.parent / "notes.json").write_text("{", encoding="utf-8")
    kept = KeptRounds(path.parent, SETTINGS)
    assert kept.read([3, 4]) == {3: RESULT}
    assert kept.read([4]) == {}
    assert KeptRounds(path.parent, {**SETTINGS, "sizes": (2, 25)}).read([3])


def test_a_writer_that_fails_leaves_the_old_file(path, monkeypatch):
    before = path.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(UserWarning, match="cannot be written: No space left"):
        KeptRounds(path.parent, SETTINGS).keep(Round(3, {}, {}, 1.0))
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]
