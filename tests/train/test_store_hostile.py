"""What a hostile checkpoint could try: forged texts, links and pipes."""

from __future__ import annotations

import json
import os
import struct

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples
from train.states import (
    about,
    bits,
    dumped,
    forge_tensors,
    forge_text,
    honest_file,
    refusal,
    small,
)

import graphnet as gn
from graphnet.train import schema
from graphnet.train.checkpoint_file import read_state
from graphnet.train.store import Store

FILES = ("tensors.safetensors", "state.json")


@pytest.fixture
def path(tmp_path):
    return Store(tmp_path).save(small())


# texts that are not in the one right spelling; each changes the bytes of state.json

TEXTS = {
    "empty": lambda data: b"",
    "null": lambda data: b"null",
    "number": lambda data: b"1",
    "text": lambda data: b'"graphnet checkpoint"',
    "list": lambda data: b"[]",
    "no fields": lambda data: b"{}",
    "in a list": lambda data: b"[" + data + b"]",
    "deep lists": lambda data: b"[" * 200_000,
    "deep dicts": lambda data: b'{"a":' * 200_000,
    "deep and closed": lambda data: b"[" * 5_000 + b"]" * 5_000,
    "closed before opened": lambda data: b"]" * 5_000,
    "many quotes": lambda data: b'"' * 100_001,
    "many escapes": lambda data: b'"' + b"\\" * 100_001,
    "no end of a text": lambda data: b'["' + b"a" * 100_000,
    "not utf-8": lambda data: b"\xff\xfe",
    "utf-16": lambda data: data.decode().encode("utf-16"),
    "utf-8 with a mark": lambda data: b"\xef\xbb\xbf" + data,
    "pretty": lambda data: json.dumps(json.loads(data), indent=2).encode(),
    "sorted": lambda data: dumped(dict(sorted(json.loads(data).items()))),
    "NaN": lambda data: data.replace(b"0.1", b"NaN"),
    "infinity": lambda data: data.replace(b"0.1", b"-Infinity"),
    "overflow": lambda data: data.replace(b"0.1", b"1e999"),
    "another spelling": lambda data: data.replace(b"0.1", b"1e-1"),
    "more digits": lambda data: data.replace(b"0.1", b"0.10"),
    "a long int": lambda data: data.replace(b"0.1", b"9" * 100_000),
    "a duplicate key": lambda data: data.replace(b'{"lr":0.1', b'{"lr":0.2,"lr":0.1'),
    "a duplicate field": lambda data: data.replace(b'"version":1', b'"version":1,"version":1'),
    "escaped": lambda data: data.replace(b'"lr"', b'"\\u006cr"'),
    "a comment": lambda data: data + b"// 1",
    "pickle": lambda data: b"\x80\x04\x95\x1d\x00\x00\x00cposix\nsystem\n.",
    "zip": lambda data: b"PK\x03\x04" + bytes(100),
    "too large": lambda data: b" " * (schema.MOST_BYTES + 1),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_text_of_another_spelling_is_refused(path, case):
    file = path / "state.json"
    other = TEXTS[case](file.read_bytes())
    assert other != file.read_bytes()
    file.write_bytes(other)
    refusal(path)


# trees in the right spelling and with the right sum, but with wrong content


def without(field):
    return lambda tree: {key: value for key, value in tree.items() if key != field}


def with_(**fields):
    return lambda tree: {**tree, **fields}


def value(inner):
    return lambda tree: {**tree, "values": {"a": inner}}


def renamed(name):
    return lambda tree: {**tree, "tensors": {name: tree["tensors"]["random"], **tree["tensors"]}}


def entry(**fields):
    def change(tree):
        tree["tensors"]["random"].update(fields)

    return change


FIELDS = ("format", "version", "step", "values", "tensors", "file")
TREES = {
    **{f"without {field}": without(field) for field in (*FIELDS, "sha256")},
    **{f"null {field}": with_(**{field: None}) for field in FIELDS},
    "another field": with_(more=1),
    "another format": with_(format="torch"),
    "version 0": with_(version=0),
    "version true": with_(version=True),
    "version 1.0": with_(version=1.0),
    "version as text": with_(version="1"),
    "step negative": with_(step=-1),
    "step true": with_(step=True),
    "step float": with_(step=3.0),
    "step large": with_(step=2**63),
    "step text": with_(step="../../etc/passwd"),
    "values list": with_(values=[]),
    "values float": with_(values={"$float": "7ff8000000000000"}),
    "float of few digits": value({"$float": "7ff8"}),
    "float of no text": value({"$float": 7}),
    "float in capitals": value({"$float": "7FF8000000000000"}),
    "float that is finite": value({"$float": "3ff0000000000000"}),
    "float and more": value({"$float": "7ff8000000000000", "a": 1}),
    "an unknown tag": value({"$import": "os"}),
    "an int too large": value(2**128 + 1),
    "too deep": value(json.loads("[" * 53 + "]" * 53)),
    "tensors list": with_(tensors=[]),
    **{
        f"name {name[:10]!r}": renamed(name)
        for name in ("", "..", "../../etc/passwd", "/etc", "a\\b", "a\0b", "n" * 501, "\x1b[2J")
    },
    "name metadata": renamed("__metadata__"),
    "a tensor more": renamed("another"),
    "a tensor less": with_(tensors={}),
    "entry null": lambda tree: {**tree, "tensors": {**tree["tensors"], "random": None}},
    "entry of more": entry(path="/etc/passwd"),
    "entry of less": lambda tree: tree["tensors"]["random"].pop("shape") and None,
    "another dtype": entry(dtype="I8"),
    "no dtype": entry(dtype=["U8"]),
    "another shape": entry(shape=[1, 2]),
    "a large shape": entry(shape=[2**40, 2**40]),
    "no shape": entry(shape=None),
    "another sum": entry(sha256="0" * 64),
    "no sum": entry(sha256=None),
    "another file": with_(file="0" * 64),
}  # fmt: skip


@pytest.mark.parametrize("case", TREES)
def test_a_text_of_wrong_content_is_refused(path, case):
    forge_text(path, TREES[case])
    refusal(path)


def test_the_forger_makes_what_is_loaded_where_nothing_is_wrong(path):
    forge_text(path, lambda tree: None)
    assert bits(read_state(path)) == bits(small())
    forge_text(path, value(5))
    assert read_state(path).values == {"a": 5}
    forge_tensors(path, honest_file(), {"a": about()})
    assert read_state(path).tensors["a"].equal(torch.zeros(6))


def test_a_newer_format_says_what_to_do(path):
    forge_text(path, lambda tree: {**tree, "version": 2, "more": []})
    assert "pip install --upgrade graphnet" in refusal(path)


# places that are not regular files

PLACES = {
    "nothing": lambda file: None,
    "folder": lambda file: file.mkdir(),
    "link": lambda file: file.symlink_to(file.parent.parent / "copy" / file.name),
    "dangling link": lambda file: file.symlink_to(file.parent / "nowhere"),
    "link to itself": lambda file: file.symlink_to(file),
    "link to a device": lambda file: file.symlink_to("/dev/zero"),
    "pipe": os.mkfifo,
}


@pytest.mark.parametrize("case", PLACES)
@pytest.mark.parametrize("name", FILES)
def test_only_regular_files_are_read(path, name, case):
    (path.parent / "copy").mkdir()
    (path / name).rename(path.parent / "copy" / name)
    PLACES[case](path / name)
    assert name in refusal(path)


def test_a_link_to_a_checkpoint_is_not_followed(path, tmp_path):
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert "link" in refusal(path)
    with pytest.raises(gn.LoadError, match="link"):
        Store(tmp_path).load()


@pytest.mark.parametrize("name", ["nothing", "nul\0", "n" * 300])
def test_a_path_that_is_not_there(tmp_path, name):
    refusal(tmp_path / name)


# any bytes at all


@examples(100)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:0$e-\\u', max_size=60).map(str.encode))
def test_any_bytes_are_refused(data):
    for reader in (schema.read, schema.contents):
        if data[:8] != struct.pack("<Q", 2):
            with pytest.raises(ValueError, match=r"."):
                reader(data)
