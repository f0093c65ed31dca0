"""From C source to a loaded library: with real compilers, broken ones, and hostile disks."""

from __future__ import annotations

import ctypes
import errno
import gc
import math
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from compile.targets.fakes import (
    SOURCE,
    Lifeline,
    arguments_of,
    fake,
    installed,
    real_compiler,
    runs_of,
    scripts,
)

from graphnet.compile.targets.c import background, library_cache, private_folder, toolchain
from graphnet.compile.targets.c.compilers import Flags
from graphnet.compile.targets.c.library_cache import LibraryCache
from graphnet.compile.targets.c.toolchain import NativeUnavailable, begin, find_compiler

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty cache for each test, and no choice of a compiler."""
    monkeypatch.setenv("GRAPHNET_NATIVE", str(tmp_path / "native"))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(private_folder, "_TEMPORARY", {})
    return tmp_path / "native"


@pytest.fixture
def lifeline(tmp_path, monkeypatch):
    held = Lifeline(tmp_path, monkeypatch)
    yield held
    held.close()


def answer_of(build):
    library = build.library()
    library.graphnet_answer.restype = ctypes.c_int64
    return library.graphnet_answer()


def failure_of(build):
    """What is said, always the same line."""
    with pytest.raises(NativeUnavailable) as raised:
        build.library()
    assert build.ready()
    with pytest.raises(NativeUnavailable) as again:
        build.library()
    assert str(again.value) == str(raised.value)
    assert str(raised.value).isprintable()
    return str(raised.value)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def no_start(*arguments):
    raise AssertionError("a compiler is started")


# real compilers


@pytest.mark.parametrize("command", installed())
def test_a_source_is_compiled_once(command, folder, monkeypatch):
    monkeypatch.setenv("CC", command)
    library = begin(SOURCE % 42).library()
    assert library.graphnet_answer() == 42
    library.graphnet_sine.restype = ctypes.c_double
    assert abs(library.graphnet_sine(ctypes.c_double(1.0)) - math.sin(1.0)) < 1e-15
    with pytest.raises(AttributeError):
        library.graphnet_hidden  # noqa: B018 - to read it is what fails
    if os.name == "posix":  # what it exports does not get in the way of other libraries
        assert not hasattr(ctypes.CDLL(None), "graphnet_answer")
    (path,) = folder.glob("*.*")
    assert path.suffix == Flags.of().suffix
    assert set(names_in(folder)) <= {path.name, "zig"}
    monkeypatch.setattr(toolchain, "Process", no_start)
    build = begin(SOURCE % 42)
    assert build.ready()
    assert answer_of(build) == 42


def test_other_sources_compilers_and_processors_have_other_libraries(monkeypatch, folder):
    real_compiler()
    for source in (SOURCE % 1, SOURCE % 2, SOURCE % 1):
        begin(source).library()
    assert len(names_in(folder)) == 2
    monkeypatch.setattr(toolchain, "processor", lambda: "x86_64 flags: another")
    begin(SOURCE % 1).library()
    assert len(names_in(folder)) == 3
    compiler = find_compiler()
    newer = toolchain.Compiler(compiler.command, compiler.version + "1")
    monkeypatch.setattr(toolchain, "find_compiler", lambda: newer)
    begin(SOURCE % 1).library()
    assert len(names_in(folder)) == 4


def test_several_threads_may_begin_at_once(folder):
    real_compiler()
    numbers = [1, 2, 1, 2, 3, 1]
    with ThreadPoolExecutor(len(numbers)) as pool:
        found = list(pool.map(lambda number: answer_of(begin(SOURCE % number)), numbers))
    assert found == numbers
    assert len(names_in(folder)) == 3


def test_any_text_is_a_source():
    real_compiler()
    assert answer_of(begin("/* µ \ud800 \u2028 */" + SOURCE % 7)) == 7


@scripts
def test_beginning_does_not_wait(tmp_path, monkeypatch):
    body = f'while [ ! -e "{tmp_path}/go" ]; do sleep 0.01; done; exec {real_compiler()} "$@"'
    fake(tmp_path, monkeypatch, body)
    build = begin(SOURCE % 5)
    assert not build.ready()
    (tmp_path / "go").touch()
    assert answer_of(build) == 5
    assert build.ready()


# how a compiler is called


@scripts
def test_a_compiler_gets_a_list_of_arguments_in_a_folder_of_its_own(tmp_path, monkeypatch, folder):
    path = fake(tmp_path, monkeypatch, 'pwd; echo "$TMPDIR $LC_ALL"; ls; cat; exit 1')
    monkeypatch.setenv("CC", f"{path} '-DX=a b;c'")
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    seen = []
    real = toolchain._ending
    monkeypatch.setattr(toolchain, "_ending", lambda c, text: seen.append(text) or real(c, text))
    failure_of(begin(SOURCE % 1))
    place, variables, *files = seen[0].split("\n")
    assert Path(place).parent == folder
    assert variables == f"{place} C"
    assert set(files) == {"program.c", background._LOG, ""}  # and nothing to read
    flags = Flags.of()
    expected = ["-DX=a b;c", *flags.needed, *flags.optional, "-o", f"library{flags.suffix}"]
    assert arguments_of(path) == [*expected, "program.c", *flags.libraries]
    assert names_in(folder) == []


REFUSING = """
for each in "$@"; do case "$each" in
    -march=*|-mcpu=*|-fopenmp-simd) echo "error: %s" >&2; exit 1;;
esac; done
exec %s "$@"
"""


@scripts
@pytest.mark.parametrize(
    ("message", "gone"),
    [
        ("unknown option '$each'", {"-march=native", "-mcpu=native", "-fopenmp-simd"}),
        ("an unknown option", set(Flags.of().optional)),
    ],
)
def test_a_refused_flag_is_left_out(tmp_path, monkeypatch, message, gone):
    path = fake(tmp_path, monkeypatch, REFUSING % (message, real_compiler()))
    assert answer_of(begin(SOURCE % 3)) == 3
    calls = " ".join(arguments_of(path)).split("-O3")
    assert set(Flags.of().optional) - set(calls[-1].split()) == gone & set(Flags.of().optional)
    count = runs_of(path)
    assert answer_of(begin(SOURCE % 3)) == 3
    assert runs_of(path) == count  # it is in the cache


# compilers that fail

FAILING = {
    "an error": (
        "echo note: x >&2; echo 'program.c:3:1: error: no such thing' >&2; exit 1",
        "fake 1.0 failed: program.c:3:1: error: no such thing",
    ),
    "an error without a word": ("exit 3", "fake 1.0 failed: exit code 3"),
    "rubbish": (r"printf '\033[31m\377\000\n'; exit 1", "fake 1.0 failed: \\x1b[31m\ufffd\\x00"),
    "killed": ("kill -KILL $$", "fake 1.0 was ended by signal SIGKILL"),
    "by a signal without a name": (
        "kill -40 $$",
        "fake 1.0 was ended by signal 40",
    ),
    "no library": ("exit 0", "fake 1.0 has written no library"),
    "an empty library": ("> library.so", "the library of fake 1.0 cannot be loaded: "),
    "a broken library": ("echo rubbish > library.so", "the library of fake 1.0 cannot be loaded: "),
    "a folder as library": ("mkdir library.so", "fake 1.0 has written no library"),
    "hangs": ("sleep 600", "fake 1.0 took more than 0.2 seconds"),
    "prints without end": (
        "while :; do echo 'again and again'; done",
        "fake 1.0 was ended by signal SIGKILL",
    ),
}


@scripts
@pytest.mark.parametrize("case", FAILING)
def test_a_compiler_that_fails_is_one_line(tmp_path, monkeypatch, folder, case):
    body, expected = FAILING[case]
    if sys.platform == "win32" or Flags.of().suffix != ".so":
        body = body.replace(".so", Flags.of().suffix)
    monkeypatch.setattr(background, "_LONGEST", 10_000)
    fake(tmp_path, monkeypatch, body)
    build = begin(SOURCE % 1, seconds=0.2 if case == "hangs" else 60.0)
    assert failure_of(build).startswith(expected)
    assert names_in(folder) == []  # nothing is left, nothing is kept


@scripts
def test_a_compiler_that_vanishes(tmp_path, monkeypatch, folder):
    path = fake(tmp_path, monkeypatch, "exit 0")
    assert find_compiler().version == "fake 1.0"
    path.unlink()
    expected = "fake 1.0 cannot be started: No such file or directory"
    assert failure_of(begin(SOURCE % 1)) == expected
    assert names_in(folder) == []


def test_no_compiler(monkeypatch):
    monkeypatch.setattr(toolchain, "find_compiler", lambda: None)
    build = begin(SOURCE % 1)
    assert build.ready()
    expected = 'there is no C compiler: install gcc or clang, or pip install "graphnet[native]"'
    assert failure_of(build) == expected


# the end of a compiler that runs


@scripts
@pytest.mark.parametrize("way", ["cancel", "drop", "Ctrl-C", "time"])
def test_a_compiler_ends_with_all_that_it_started(tmp_path, monkeypatch, folder, lifeline, way):
    fake(tmp_path, monkeypatch, Lifeline.body)
    build = begin(SOURCE % 1, seconds=600)
    lifeline.wait_for_the_start()
    process = build._process._process
    if way == "cancel":
        build.cancel()
        assert failure_of(build) == "the build was cancelled"
    elif way == "drop":
        del build
        gc.collect()
    elif way == "Ctrl-C":

        def interrupt(seconds):
            raise KeyboardInterrupt

        monkeypatch.setattr(toolchain, "sleep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            build.library()
        assert failure_of(build) == "the build was cancelled"
    else:
        build._deadline = 0
        assert failure_of(build) == "fake 1.0 took more than 600 seconds"
    assert process.returncode == -signal.SIGKILL  # waited for: it is no zombie
    assert lifeline.is_cut()
    assert names_in(folder) == []


ALONE = """
import os, sys, types
for name in ("graphnet", "graphnet.compile", "graphnet.compile.targets"):
    module = sys.modules[name] = types.ModuleType(name)
    module.__path__ = [os.path.join(*name.split("."))]
from graphnet.compile.targets.c import private_folder, toolchain
"""
"""The toolchain without the rest of graphnet, which takes a second to import torch."""

FORKED = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads
from graphnet.compile.targets.c.private_folder import temporary_folder
from graphnet.compile.targets.c.toolchain import NativeUnavailable, begin
build = begin("")
assert not build.ready()
folder = temporary_folder()
child = os.fork()
if child == 0:
    assert build.ready()
    build.cancel()
    try:
        build.library()
    except NativeUnavailable as error:
        print(error, flush=True)
    assert temporary_folder() != folder
    sys.exit(7)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), build.ready(), sep="\\n")
print(folder.is_dir(), build._process.folder.is_dir(), folder, sep="\\n")
sys.stdout.flush()
sys.stdin.readline()
"""


@scripts
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_build_belongs_to_its_process_and_ends_with_it(tmp_path, monkeypatch, folder, lifeline):
    fake(tmp_path, monkeypatch, Lifeline.body)
    with subprocess.Popen(
        [sys.executable, "-c", ALONE + FORKED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        cwd=ROOT,
    ) as process:
        lifeline.wait_for_the_start()
        said, code, ready, *folders, path = (process.stdout.readline()[:-1] for _ in range(6))
        assert said == f"process {process.pid} compiles it, and this is another one"
        assert (code, ready, folders) == ("7", "False", ["True", "True"])
        assert lifeline.holds()  # the end of the child did not end the compiler
        process.communicate("\n", timeout=60)
    assert process.returncode == 0
    assert lifeline.is_cut()
    assert names_in(folder) == []
    assert not Path(path).exists()


TWICE = """
import sys
from graphnet.compile.targets.c.toolchain import begin
print("ready", flush=True)
sys.stdin.readline()
print(begin(sys.argv[1]).library().graphnet_answer())
"""


def test_two_processes_at_once(folder):
    real_compiler()
    command = [sys.executable, "-c", ALONE + TWICE, SOURCE % 11]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "encoding": "utf-8"}
    both = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(2)]
    assert [process.stdout.readline() for process in both] == ["ready\n"] * 2
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[0] for process in both] == ["11\n"] * 2
    assert [process.returncode for process in both] == [0, 0]
    assert len(names_in(folder)) == 1
    assert answer_of(begin(SOURCE % 11)) == 11


# disks


def full(*arguments, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def only_there(folder, method):
    """A method of the cache that fails in one folder."""

    def limited(self, *arguments):
        return (full if self.folder == folder else method)(self, *arguments)

    return limited


@pytest.mark.parametrize("name", ["find", "workspace", "keep"])
def test_a_full_or_broken_disk(monkeypatch, folder, name):
    real_compiler()
    method = only_there(folder, getattr(LibraryCache, name))
    monkeypatch.setattr(LibraryCache, name, method)
    build = begin(SOURCE % 21)
    assert answer_of(build) == 21
    assert build._cache.temporary
    assert names_in(folder) == []


@scripts
def test_a_disk_that_is_full_for_the_compiler(tmp_path, monkeypatch, folder):
    text = "ld: final link failed: No space left on device"
    body = f'case "$PWD" in "{folder}"*) echo "{text}"; exit 1;; esac; exec {real_compiler()} "$@"'
    path = fake(tmp_path, monkeypatch, body)
    build = begin(SOURCE % 22)
    assert answer_of(build) == 22
    assert build._cache.temporary
    assert runs_of(path) == 2


def test_a_disk_that_is_full_everywhere(monkeypatch, folder):
    real_compiler()
    for name in ("workspace", "keep"):
        with monkeypatch.context() as context:
            context.setattr(LibraryCache, name, full)
            said = failure_of(begin(SOURCE % 23))
            assert said.endswith("No space left on device")
    folder.rmdir()
    folder.write_bytes(b"")
    monkeypatch.setattr(private_folder, "_TEMPORARY", {})
    monkeypatch.setattr(private_folder, "mkdtemp", full)
    expected = "there is no folder for libraries: No space left on device"
    assert failure_of(begin(SOURCE % 24)) == expected


def test_a_damaged_library_is_compiled_again(folder):
    real_compiler()
    assert answer_of(begin(SOURCE % 31)) == 31
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.unlink()  # this process has it in use
    path.write_bytes(whole[: len(whole) // 2])
    assert answer_of(begin(SOURCE % 31)) == 31
    assert [each.stat().st_size for each in folder.iterdir()] == [len(whole)]


def test_an_intact_library_that_this_system_cannot_load_is_compiled_again(folder, tmp_path):
    """Compiled on a machine with another C library, in a home that both share."""
    real_compiler()
    build = begin(SOURCE % 32)
    build.library()
    (path,) = folder.iterdir()
    path.unlink()
    (tmp_path / f"other{path.suffix}").write_bytes(b"of another system")
    foreign = LibraryCache(folder).keep(build._key, tmp_path / f"other{path.suffix}")
    assert answer_of(begin(SOURCE % 32)) == 32
    assert names_in(folder) == [path.name]
    assert foreign != path


def test_the_cache_is_bounded_after_each_build(monkeypatch, folder):
    real_compiler()
    tidy = LibraryCache.tidy
    monkeypatch.setattr(library_cache.LibraryCache, "tidy", lambda self: tidy(self, most=2))
    for number in (41, 42, 43):
        begin(SOURCE % number).library()
    assert len(names_in(folder)) == 2


def test_what_a_compile_needs_is_imported_when_it_compiles():
    program = ALONE + "print(*{'ctypes', 'subprocess'} & set(sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-S", "-c", program],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        check=True,
        timeout=60,
    )
    assert ran.stdout == "\n"
