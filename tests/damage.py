"""Damage checkpoints at random, and count what is loaded all the same.

python tests/damage.py              10,000 damages of each kind
python tests/damage.py --number 50  fewer

Each damage is made to one of the two files of a small checkpoint: a flipped bit, a cut, bytes that
are appended, a block of zeros, bytes of another place; and forgeries, where a random change of
state.json or of the tensor file gets the sums that belong to it. No damage may be loaded, and
the only error is a LoadError. A forgery may be loaded where it tells another state in due form.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import warnings
from collections import Counter
from hashlib import sha256
from time import perf_counter

from train.states import bits, sealed, small

from graphnet.errors import LoadError
from graphnet.train.checkpoint_file import read_state
from graphnet.train.store import DamagedCheckpointWarning, Store

FILES = ("tensors.safetensors", "state.json")


def flip(data, source):
    place = source.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << source.randrange(8)]) + data[place + 1 :]


def cut(data, source):
    return data[: source.randrange(len(data))]


def append(data, source):
    length = source.choice([1, 2, 8, 512])
    return data + source.choice([bytes(length), source.randbytes(length), b" " * length, b"\n"])


def zero(data, source):
    place, length = source.randrange(len(data)), source.choice([1, 8, 64, 512])
    return data[:place] + bytes(len(data[place : place + length])) + data[place + length :]


def displace(data, source):
    length = source.choice([1, 4, 16, 64])
    here, there = source.randrange(len(data)), source.randrange(len(data))
    block = data[there : there + length]
    return data[:here] + block + data[here + len(block) :]


KINDS = {"flip": flip, "cut": cut, "append": append, "zero": zero, "displace": displace}


def forge(files, source):
    """Change a file in any of these ways, or a number or word of its text, and then the sums."""
    name = source.choice(FILES)
    data = files[name]
    change = source.choice([*KINDS.values(), reword, reword, reword])
    forged = {**files, name: change(data, source)}
    try:
        tree = json.loads(forged["state.json"])
        tree["file"] = sha256(forged["tensors.safetensors"]).hexdigest()
        forged["state.json"] = sealed(tree)
    except (ValueError, TypeError, RecursionError):
        pass  # it is no JSON any more: a reader has to find that
    return forged


WORDS = [
    *(
        b"0",
        b"-1",
        b"1e999",
        b"-0.0",
        b"NaN",
        b"true",
        b"null",
        b'""',
        b"[]",
        b"{}",
        b"2",
        b"9" * 50,
    ),
    *(b'{"$float":"7ff8000000000000"}', b'{"$x":1}', b'"\\ud800"', b'"F64"', b"[[[[1]]]]", b"\xff"),
]


def reword(data, source):
    """Put another JSON value, or a bracket less or more, somewhere into a text."""
    place = source.randrange(len(data))
    end = place + source.choice([0, 1, 1, 2, 5])
    return data[:place] + source.choice([*WORDS, b"[", b"}", b'"', b","]) + data[end:]


def judge(folder, files, expected):
    """ "refused", "loaded" with other values, "same", or the name of an error of another kind."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    try:
        state = read_state(folder)
    except LoadError:
        return "refused"
    except Exception as error:
        return type(error).__name__
    return "same" if bits(state) == expected else "loaded"


def run(kind, number, seed=0):
    """How often each thing came out."""
    source, counts = random.Random(f"{kind} {seed}"), Counter()
    with tempfile.TemporaryDirectory() as place:
        folder = Store(place).save(small())
        files = {name: (folder / name).read_bytes() for name in FILES}
        expected = bits(small())
        while counts.total() < number:
            if kind == "forge":
                damaged = forge(files, source)
            else:
                name = source.choice(FILES)
                damaged = {**files, name: KINDS[kind](files[name], source)}
            if damaged != files:  # zeros over zeros are no damage
                counts[judge(folder, damaged, expected)] += 1
    return counts


def fall_back(number, seed=0):
    """How often the older checkpoint is used, with a warning, where the newest is damaged."""
    source, counts = random.Random(seed), Counter()
    with tempfile.TemporaryDirectory() as place:
        store = Store(place)
        store.save(small(1))
        newest = store.save(small(2))
        files = {name: (newest / name).read_bytes() for name in FILES}
        while counts.total() < number:
            name, change = source.choice(FILES), source.choice(list(KINDS.values()))
            data = change(files[name], source)
            if data == files[name]:
                continue
            (newest / name).write_bytes(data)
            with warnings.catch_warnings(record=True) as heard:
                warnings.simplefilter("always")
                older = bits(store.load()) == bits(small(1))
            warned = [each.category for each in heard] == [DamagedCheckpointWarning]
            counts["refused" if older and warned else "loaded"] += 1
            (newest / name).write_bytes(files[name])
    return counts


def main() -> int:
    """Print what came out for each kind; 0 if nothing that is damaged was loaded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=10_000, help="damages of each kind")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start, right = perf_counter(), True
    print(f"{'kind':10} {'tried':>7} {'refused':>8} {'loaded':>7} {'other errors':>13}")
    for kind in (*KINDS, "forge", "fall back"):
        if kind == "fall back":
            counts = fall_back(options.number, options.seed)
        else:
            counts = run(kind, options.number, options.seed)
        loaded = counts["loaded"] + counts["same"]
        others = counts.total() - loaded - counts["refused"]
        print(f"{kind:10} {counts.total():7,} {counts['refused']:8,} {loaded:7,} {others:13,}")
        right = right and others == 0 and (loaded == 0 or kind == "forge")
    print(f"{'as promised' if right else 'NOT AS PROMISED'}, in {perf_counter() - start:.0f} s")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
