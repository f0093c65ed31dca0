"""Compiled libraries on disk: what is trusted, what is removed."""

from __future__ import annotations

import atexit
import errno
import hashlib
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

import pytest
from compile.targets.fakes import STRANGER, needs_root, scripts

from graphnet.compile.targets.c import library_cache, private_folder
from graphnet.compile.targets.c.library_cache import (
    LibraryCache,
    cache_report,
    clear_cache,
    open_cache,
)

KEY, OTHER = "a" * 64, "b" * 64


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where the user's cache will be; the folder above it is there."""
    monkeypatch.setenv("GRAPHNET_NATIVE", str(tmp_path / "native"))
    return tmp_path / "native"


@pytest.fixture
def cache(folder):
    return open_cache()


def put(cache, key=KEY, content=b"machine code"):
    """A library in the cache."""
    made = cache.workspace("program.c", b"int x;") / "library.so"
    made.write_bytes(content)
    kept = cache.keep(key, made)
    shutil.rmtree(made.parent)
    return kept


def files_of(cache):
    return sorted(path.name for path in cache.folder.iterdir())


# the folder


def test_the_folder_is_made_for_its_user_alone(cache, folder):
    assert cache == LibraryCache(folder)
    assert os.name == "nt" or stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_variable_chooses_and_the_users_cache_stands_in(monkeypatch, tmp_path):
    monkeypatch.setattr(private_folder, "user_cache", lambda: tmp_path / "of the user")
    monkeypatch.setenv("GRAPHNET_NATIVE", "~/mine")
    assert private_folder.native_folder() == Path.home() / "mine"
    monkeypatch.setenv("GRAPHNET_NATIVE", "")
    assert private_folder.native_folder() == tmp_path / "of the user" / "native"
    monkeypatch.delenv("GRAPHNET_NATIVE")
    assert private_folder.native_folder() == tmp_path / "of the user" / "native"


def writable(folder, monkeypatch, mode):
    folder.mkdir()
    folder.chmod(mode)


def a_link_to(make):
    def hostile(folder, monkeypatch):
        make(folder.with_name("elsewhere"), monkeypatch)
        folder.symlink_to(folder.with_name("elsewhere"))

    return hostile


def by_another(folder, monkeypatch):
    folder.mkdir(mode=0o700)
    os.chown(folder, STRANGER, STRANGER)


def a_link_by_another(folder, monkeypatch):
    folder.with_name("elsewhere").mkdir(mode=0o700)
    folder.symlink_to(folder.with_name("elsewhere"))
    os.chown(folder, STRANGER, STRANGER, follow_symlinks=False)


def another_user(folder, monkeypatch):
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)


def below_a_public_folder(folder, monkeypatch):
    above = folder.with_name("public")
    above.mkdir()
    above.chmod(0o777)
    (above / "native").mkdir(mode=0o700)
    monkeypatch.setenv("GRAPHNET_NATIVE", str(above / "native"))


def a_refusal(folder, monkeypatch):
    def mkdir(path, *arguments, **options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", mkdir)


def no_home(folder, monkeypatch):
    monkeypatch.setenv("GRAPHNET_NATIVE", "~no-such-user/native")


def a_file_as_home(folder, monkeypatch):
    folder.write_bytes(b"")
    for name in ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.delenv("GRAPHNET_NATIVE")


def too_long(folder, monkeypatch):
    monkeypatch.setenv("GRAPHNET_NATIVE", str(folder / ("a" * 5_000)))


def not_writable(folder, monkeypatch):
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere


HOSTILE = {
    "writable by all": lambda f, m: writable(f, m, 0o777),
    "writable by all, sticky": lambda f, m: writable(f, m, 0o1777),
    "writable by the group": lambda f, m: writable(f, m, 0o770),
    "a link to what is writable": a_link_to(lambda f, m: writable(f, m, 0o777)),
    "a link to nothing": lambda f, m: f.symlink_to("nothing"),
    "a link to itself": lambda f, m: f.symlink_to(f),
    "a link to a file": a_link_to(lambda f, m: f.write_bytes(b"")),
    "another user": another_user,
    "below a public folder": below_a_public_folder,
    "a file": lambda f, m: f.write_bytes(b""),
    "a file above": lambda f, m: (f.write_bytes(b""), m.setenv("GRAPHNET_NATIVE", str(f / "x"))),
    "read-only": a_refusal,
    "no home": no_home,
    "a file as home": a_file_as_home,
    "a name that is too long": too_long,
}
OF_ANOTHER = {
    "by another": by_another,
    "a link to one by another": a_link_to(by_another),
    "a link by another": a_link_by_another,
}


@scripts
@pytest.mark.parametrize(
    "make",
    [
        *(pytest.param(make, id=name) for name, make in HOSTILE.items()),
        *(pytest.param(make, id=name, marks=needs_root) for name, make in OF_ANOTHER.items()),
    ],
)
def test_a_folder_that_cannot_be_trusted_or_used_is_left_alone(folder, monkeypatch, make):
    make(folder, monkeypatch)
    before = sorted(folder.parent.rglob("*"))
    cache = open_cache()
    assert cache.temporary
    assert not cache.folder.is_relative_to(folder.parent.resolve())
    put(cache)
    assert sorted(folder.parent.rglob("*")) == before
    monkeypatch.undo()  # also what is in use elsewhere
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700


@scripts
@pytest.mark.parametrize("case", HOSTILE)
def test_the_report_and_the_clearing_of_a_bad_folder_are_one_line(folder, monkeypatch, case):
    HOSTILE[case](folder, monkeypatch)
    before = sorted(folder.parent.rglob("*"))
    for line in (cache_report(), clear_cache()):
        assert line.isprintable()
        assert line.startswith(("no cache: ", "cache ", "Nothing was removed: ", "Removed from "))
    assert sorted(folder.parent.rglob("*")) == before


@scripts
@pytest.mark.parametrize(
    ("make", "why"),
    [
        (HOSTILE["writable by all"], "native is writable by others"),
        (HOSTILE["below a public folder"], "native, is writable by others"),
        (HOSTILE["a file"], "native is not a folder"),
        (HOSTILE["a file above"], "cannot be written"),
        (not_writable, "native cannot be written"),
        (HOSTILE["another user"], "native belongs to another user"),
        pytest.param(a_link_by_another, "native belongs to another user", marks=needs_root),
        pytest.param(a_link_to(by_another), "native belongs to another user", marks=needs_root),
    ],
)
def test_the_report_says_why_a_folder_is_not_used(folder, monkeypatch, make, why):
    make(folder, monkeypatch)
    assert cache_report().startswith("no cache: ")
    assert cache_report().endswith(why)
    if not why.endswith("written"):
        why = cache_report().removeprefix("no cache: ")
        assert clear_cache() == f"Nothing was removed: {why}."


@scripts
def test_what_is_good_is_used(folder, monkeypatch):
    """A folder that all can read, through a link of one's own, below a sticky public folder."""
    above = folder.with_name("public")
    above.mkdir()
    above.chmod(0o1777)
    (above / "native").mkdir(mode=0o755)
    folder.symlink_to(above / "native")
    assert open_cache() == LibraryCache(above.resolve() / "native")


@scripts
def test_a_public_place_for_temporary_files_is_not_used(folder, monkeypatch, tmp_path):
    public = tmp_path / "public"
    public.mkdir()
    public.chmod(0o777)
    folder.write_bytes(b"")
    monkeypatch.setattr(private_folder, "_TEMPORARY", {})
    monkeypatch.setattr(tempfile, "tempdir", str(public))
    with pytest.raises(PermissionError, match=r"public, above .*, is writable by others"):
        open_cache()
    public.chmod(0o1777)
    assert open_cache().folder.parent == public.resolve()


def test_the_folder_of_a_process_is_removed_with_it(monkeypatch):
    planned = []
    monkeypatch.setattr(private_folder, "_TEMPORARY", {})
    monkeypatch.setattr(atexit, "register", lambda *call: planned.append(call))
    folder = private_folder.temporary_folder()
    assert private_folder.temporary_folder() == folder
    ((remove, *arguments),) = planned
    monkeypatch.setattr(os, "getpid", lambda: -1)  # a process that was forked
    remove(*arguments)
    assert folder.is_dir()
    other = private_folder.temporary_folder()
    assert other != folder
    planned[1][0](*planned[1][1:])
    monkeypatch.undo()
    remove(*arguments)
    assert not folder.exists()
    assert not other.exists()


# libraries


def test_a_library_is_found_by_its_key(cache):
    path = put(cache)
    assert path.read_bytes() == b"machine code"
    assert path.name == f"{KEY}-{hashlib.sha256(b'machine code').hexdigest()}.so"
    assert os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o700
    assert cache.find(KEY) == path
    assert cache.find(OTHER) is None
    assert files_of(cache) == [path.name]


def replaced(path, content):
    path.unlink()
    path.write_bytes(content)
    path.chmod(0o700)


def a_folder(path):
    path.unlink()
    path.mkdir()


def a_pipe(path):
    path.unlink()
    os.mkfifo(path, 0o700)


def a_link(path):
    path.rename(path.with_name("target"))
    path.symlink_to("target")


DAMAGE = {
    "torn": lambda path: replaced(path, path.read_bytes()[:-1]),
    "longer": lambda path: replaced(path, path.read_bytes() + b"\0"),
    "one bit": lambda path: replaced(path, b"l" + path.read_bytes()[1:]),
    "empty": lambda path: replaced(path, b""),
    "writable by the group": lambda path: path.chmod(0o720),
    "writable by others": lambda path: path.chmod(0o702),
    "a link": a_link,
    "a folder": a_folder,
    "a pipe": a_pipe,
}


@scripts
@pytest.mark.parametrize(
    "damage",
    [
        *(pytest.param(damage, id=name) for name, damage in DAMAGE.items()),
        pytest.param(lambda p: os.chown(p, STRANGER, -1), id="by another", marks=needs_root),
    ],
)
def test_a_damaged_library_is_not_found_and_the_other_one_is(cache, damage):
    path = put(cache)
    damage(path)
    assert cache.find(KEY) is None
    assert path.is_dir() or not os.path.lexists(path)
    again = put(cache, content=b"compiled again")
    assert cache.find(KEY) == again


def test_a_library_under_the_name_of_another_content_is_not_found(cache):
    put(cache).rename(cache.folder / f"{KEY}-{'0' * 64}.so")
    assert cache.find(KEY) is None
    assert files_of(cache) == []


# bounds


def aged(path, days):
    then = time.time() - days * 86_400
    os.utime(path, (then, then))
    return path


@pytest.mark.parametrize(
    ("most", "most_bytes", "left"),
    [(4, 400, "0123"), (3, 400, "023"), (2, 400, "02"), (4, 250, "02"), (4, 99, ""), (0, 400, "")],
)
def test_what_was_used_longest_ago_is_removed(cache, most, most_bytes, left):
    paths = [aged(put(cache, f"{n}" * 64, bytes(100)), days=9 - n) for n in range(4)]
    assert cache.find("0" * 64) == paths[0]  # used now
    aged(paths[2], 1)
    aged(paths[3], 5)
    cache.tidy(most, most_bytes)
    expected = {"023": "023", "0123": "0123"}.get(left, left)
    assert [path.name[0] for path in paths if path.exists()] == sorted(expected)


def test_the_bounds_are_those_of_the_page():
    page = Path(__file__).parents[3] / "docs" / "native.md"
    text = page.read_text(encoding="utf-8")
    assert f"{library_cache.MOST_LIBRARIES:,} libraries" in text
    assert f"{library_cache.MOST_BYTES // 10**6} MB" in text


def test_remains_of_a_killed_build_are_removed_after_an_hour(cache):
    young, old = (cache.workspace("program.c", b"") for _ in range(2))
    foreign = cache.folder / "notes"
    foreign.mkdir()
    aged(old, 1 / 23)
    aged(young, 1 / 25)
    aged(foreign, 100)
    cache.tidy()
    assert files_of(cache) == sorted([young.name, "notes"])


def test_the_cache_is_cleared(cache, folder):
    (folder / "zig" / "o").mkdir(parents=True)
    (folder / "notes.txt").write_bytes(b"not a library")
    running = cache.workspace("program.c", b"")
    put(cache, KEY, bytes(1_200_000))
    put(cache, OTHER, bytes(300_000))
    assert cache_report() == f"cache {folder}: 2 libraries, 1.5 MB"
    assert clear_cache() == f"Removed from {folder}: 2 libraries, 1.5 MB."
    assert files_of(cache) == sorted([running.name, "notes.txt"])
    assert clear_cache() == f"Removed from {folder}: 0 libraries, 0.0 MB."


def test_a_cache_that_does_not_exist_is_empty(folder):
    assert cache_report() == f"cache {folder}: 0 libraries, 0.0 MB"
    assert clear_cache() == f"Removed from {folder}: 0 libraries, 0.0 MB."
    assert not folder.exists()


def test_a_workspace_that_cannot_be_written_is_removed(cache, monkeypatch):
    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        cache.workspace("program.c", b"")
    assert files_of(cache) == []


def test_a_library_that_another_process_removes_meanwhile(cache, monkeypatch):
    gone, stays = put(cache), put(cache, OTHER)
    listed = [gone, stays]
    gone.unlink()
    monkeypatch.setattr(LibraryCache, "_paths", lambda self: iter(listed))
    assert cache.find(KEY) is None
    cache.tidy()
    assert cache.contents() == (1, len(b"machine code"))
