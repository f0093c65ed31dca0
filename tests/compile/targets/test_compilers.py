"""Which compiler is taken, and with which flags."""

from __future__ import annotations

import os
import sys

import pytest
from compile.targets.fakes import script, scripts

from graphnet.compile.targets.c import background, compilers
from graphnet.compile.targets.c.compilers import Compiler, Flags, accepted, find_compiler, processor

ORDER = ("cc", "gcc", "clang")


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A PATH with three compilers, and no ziglang."""
    folder = tmp_path / "programs"
    for name in ORDER:
        script(folder / name, "exit 1", version=f"{name} (of a test) 1.0")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(compilers, "find_spec", lambda name: None)
    compilers._found.cache_clear()
    yield folder
    compilers._found.cache_clear()


def forget():
    compilers._found.cache_clear()


# which one


@scripts
def test_the_first_that_is_there_is_taken(shelf):
    for name in ORDER:
        assert find_compiler() == Compiler((str(shelf / name),), f"{name} (of a test) 1.0")
        (shelf / name).unlink()
        forget()
    assert find_compiler() is None


@scripts
@pytest.mark.parametrize(
    ("form", "arguments"),
    [
        ("{}", ()),
        ("{} -m64 -pipe", ("-m64", "-pipe")),
        ("'{}' '-D x=\"a b\"'", ('-D x="a b"',)),
        ("  {}  ", ()),
    ],
)
def test_the_variable_may_hold_arguments(shelf, tmp_path, monkeypatch, form, arguments):
    program = script(tmp_path / "mine", "exit 1", version="mine 2")
    monkeypatch.setenv("CC", form.format(program))
    assert find_compiler() == Compiler((str(program), *arguments), "mine 2")


@scripts
def test_the_variable_may_name_a_path_with_spaces(shelf, tmp_path, monkeypatch):
    program = script(tmp_path / "my own" / "c compiler", "exit 1", version="mine 3")
    monkeypatch.setenv("CC", str(program))
    assert find_compiler() == Compiler((str(program),), "mine 3")


@scripts
def test_a_relative_path_is_made_absolute(shelf, monkeypatch):
    monkeypatch.chdir(shelf.parent)
    monkeypatch.setenv("CC", f"{shelf.name}/clang")
    assert find_compiler().command == (str(shelf / "clang"),)


BROKEN = {
    "fails": "#!/bin/sh\necho error 1.0\nexit 1\n",
    "says nothing": "#!/bin/sh\n",
    "is no program": "\x7fnothing",
    "hangs": "#!/bin/sh\nwhile :; do :; done\n",
    "prints without end": "#!/bin/sh\nwhile :; do echo again and again; done\n",
}


@scripts
@pytest.mark.parametrize("case", BROKEN)
def test_one_that_does_not_run_is_passed_over(shelf, monkeypatch, case):
    def hasty(command, seconds):
        """The others have all the time that a slow machine needs."""
        broken = command[0].endswith("/cc")
        return background.answer(command, 0.1 if broken and case == "hangs" else 60.0)

    monkeypatch.setattr(compilers, "answer", hasty)
    monkeypatch.setattr(background, "_LONGEST", 10_000)
    (shelf / "cc").write_text(BROKEN[case], encoding="utf-8")
    monkeypatch.setenv("CC", "cc")
    assert find_compiler().command == (str(shelf / "gcc"),)


@scripts
@pytest.mark.parametrize("variable", ["", "  ", "no-such-compiler", "'never closed"])
def test_a_variable_that_names_none_is_passed_over(shelf, monkeypatch, variable):
    monkeypatch.setenv("CC", variable)
    assert find_compiler().command == (str(shelf / "cc"),)


@scripts
def test_a_compiler_is_asked_once_for_each_environment(shelf, monkeypatch):
    asked = []
    real = compilers.answer
    monkeypatch.setattr(compilers, "answer", lambda *a: asked.append(a[0]) or real(*a))
    assert [find_compiler().version for _ in range(3)] == ["cc (of a test) 1.0"] * 3
    monkeypatch.setenv("CC", "gcc")
    assert [find_compiler().version for _ in range(3)] == ["gcc (of a test) 1.0"] * 3
    assert len(asked) == 2


@scripts
def test_a_version_is_one_printable_line(shelf):
    rubbish = f"\x1b[31m{'v' * 10_000}"
    (shelf / "cc").write_text(f"#!/bin/sh\necho '{rubbish}'\necho more\n", encoding="utf-8")
    assert find_compiler().version == (r"\x1b[31m" + "v" * 195)


def test_the_last_one_is_the_package_ziglang_which_is_not_imported(shelf, monkeypatch):
    for name in ORDER:
        (shelf / name).unlink()
    monkeypatch.setattr(compilers, "find_spec", lambda name: name == "ziglang" or None)
    monkeypatch.setattr(compilers, "version", lambda name: "0.13.0")
    command = (sys.executable, "-m", "ziglang", "cc")
    assert find_compiler() == Compiler(command, "ziglang 0.13.0")
    assert "ziglang" not in sys.modules


def test_a_module_that_is_only_called_ziglang_is_passed_over(shelf, monkeypatch):
    def version(name):
        raise compilers.PackageNotFoundError(name)

    for name in ORDER:
        (shelf / name).unlink()
    monkeypatch.setattr(compilers, "find_spec", lambda name: True)
    monkeypatch.setattr(compilers, "version", version)
    assert find_compiler() is None


@pytest.mark.parametrize(("tools", "taken"), [("/Library/Developer", True), (None, False)])
def test_macos_is_not_made_to_offer_its_developer_tools(monkeypatch, tools, taken):
    asked = []
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(
        compilers, "answer", lambda command, seconds: asked.append(command) or tools
    )
    assert compilers._asks_to_install("/usr/bin/cc") is not taken
    assert not compilers._asks_to_install("/opt/homebrew/bin/gcc")
    assert asked == [["/usr/bin/xcode-select", "-p"]]


@pytest.mark.parametrize(
    ("version", "shown"),
    [
        ("gcc (Debian 12.2.0-14+deb12u1) 12.2.0", "gcc 12.2.0"),
        ("Debian clang version 14.0.6", "Debian clang version 14.0.6"),
        ("Apple clang version 15.0.0 (clang-1500.3.9.4)", "Apple clang version 15.0.0"),
        ("(nothing else)", "/usr/bin/cc"),
    ],
)
def test_a_compiler_is_shown_by_name_and_version(version, shown):
    assert str(Compiler(("/usr/bin/cc",), version)) == shown


# flags


@pytest.mark.parametrize(
    ("system", "machine", "there", "absent"),
    [
        ("linux", "x86_64", "-shared -fPIC -march=native -mprefer-vector-width=512 -lm", "-mcpu"),
        ("linux", "aarch64", "-shared -fPIC -mcpu=native -lm", "-march -mprefer"),
        ("darwin", "arm64", "-dynamiclib -fPIC -mcpu=native -lm", "-shared -march"),
        ("darwin", "x86_64", "-dynamiclib -march=native -mprefer-vector-width=512", "-shared"),
        ("win32", "AMD64", "-shared -march=native -mprefer-vector-width=512", "-fPIC -lm"),
        ("linux", "riscv64", "-shared -march=native", "-mprefer"),
    ],
)
def test_the_flags_of_a_system(system, machine, there, absent):
    flags = Flags.of(system, machine)
    every = [*flags.needed, *flags.optional, *flags.libraries]
    assert set(there.split()) <= set(every)
    assert not any(flag.startswith(tuple(absent.split())) for flag in every)
    assert flags.suffix == (".dll" if system == "win32" else ".so")
    same = "-O3 -std=gnu11 -fno-math-errno -fno-trapping-math -ffp-contract=fast -fopenmp-simd"
    same += " -fno-tree-vectorize"  # but what is marked as simd
    assert set(same.split()) <= set(every)
    assert "-ffast-math" not in every  # it would compile a check for NaN away


OPTIONAL = ("-march=native", "-mprefer-vector-width=512", "-fopenmp-simd")


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("gcc: error: unrecognized command-line option '-mprefer-vector-width=512'", (0, 2)),
        ("cc1: error: bad value ('native') for '-march=' switch", (1, 2)),
        ("error: unknown argument: '-fopenmp-simd'\nerror: unsupported option '-march='", (1,)),
        ("error: unknown target CPU 'native'", ()),
        ("program.c:3:1: error: unknown type name 'foo'", None),
        ("gcc: fatal error: Killed signal terminated program cc1", None),
        ("", None),
    ],
)
def test_the_flags_that_are_left_after_a_refusal(message, left):
    expected = None if left is None else tuple(OPTIONAL[place] for place in left)
    assert accepted(OPTIONAL, message) == expected


def test_nothing_is_tried_again_without_flags():
    assert accepted((), "error: unknown argument: '-march=native'") is None


def test_the_processor_is_known_by_its_flags():
    text = processor()
    assert "\n" not in text
    assert text.split()[0] == os.uname().machine if hasattr(os, "uname") else text
