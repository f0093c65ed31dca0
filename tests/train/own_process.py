"""Trials that change the whole process, in a separate one: its limits, its user, its hooks.

PYTHONPATH=tests python tests/train/own_process.py FOLDER [STRIDE]    prints how many checks
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from train.states import bits, names_in, small

from graphnet.errors import CheckpointError
from graphnet.train.store import Store


def full_disk(folder, stride):
    """A disk that is full from some file size on; every size with a stride of 1."""
    import resource

    store = Store(folder)
    path = store.save(small(1))
    largest = max(file.stat().st_size for file in path.iterdir())
    before, refused = bits(store.load()), 0
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    sizes = {*range(0, largest, stride), largest - 1}
    for size in sizes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            store.save(small(2))
        except CheckpointError as error:
            check("File too large" in str(error), error)
            refused += 1
        check(names_in(folder) == ["checkpoint-00000001"], names_in(folder))
        check(bits(store.load()) == before, "the older one is damaged")
    check(refused == len(sizes), "a file was larger than the limit")
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 1, hard))
    store.save(small(2))
    check(bits(store.load()) == bits(small(2)), "the limit was not reached")
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    return refused


def read_only(*_):
    """A folder in which this user may not write; as root, another user tries it."""
    folder = Path(tempfile.mkdtemp())  # another user may not look into the folders of the tests
    folder.chmod(0o755)
    inside = folder / "inside"
    store = Store(inside)
    store.save(small(1))
    inside.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        for target in (store, Store(inside / "below")):
            try:
                target.save(small(2))
            except CheckpointError as error:
                check("Permission denied" in str(error), error)
            else:
                check(False, "it was written")
            check(bits(store.load()) == bits(small(1)), "the older one is damaged")
    finally:
        os.seteuid(os.getuid())
        inside.chmod(0o755)
    check(names_in(inside) == ["checkpoint-00000001"], names_in(inside))
    shutil.rmtree(folder)
    return 2


QUIET = {"os.listdir", "os.scandir", "object.__getattr__", "sys._getframe", "array.__new__"}


def hooks(folder, _):
    """Loading opens the two files of a checkpoint, and no others."""
    store = Store(folder)
    path = store.save(small(1))
    store.load()  # warms up: libraries are imported when they are first needed
    events, listening = [], False

    def hear(event, arguments):
        if listening:
            events.append((event, str(arguments[0]) if arguments else ""))

    sys.addaudithook(hear)
    listening = True
    state = store.load()
    listening = False
    check(bits(state) == bits(small(1)), "it is another state")
    opened = [place for event, place in events if event == "open"]
    check(sorted(opened) == sorted(map(str, path.iterdir())), opened)
    others = {event for event, _ in events} - {"open"} - QUIET
    check(others == set(), events)
    return len(events)


def check(right, what):
    if not right:
        raise SystemExit(f"not as promised: {what}")


def main(folder, stride=11):
    for trial in (hooks, full_disk, read_only):
        place = Path(folder) / trial.__name__
        place.mkdir()
        print(trial.__name__, trial(place, int(stride)))


if __name__ == "__main__":
    main(*sys.argv[1:])
