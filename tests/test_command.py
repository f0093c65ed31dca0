"""`python -m graphnet` says what is installed and in use, and how to get the rest."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import torch

import graphnet as gn
from graphnet import __main__ as command
from graphnet.compile.targets.c.compilers import Compiler
from graphnet.data.digits import FILES

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of data sets, and another of compiled libraries."""
    monkeypatch.setenv("GRAPHNET_DATA", str(tmp_path))
    monkeypatch.setenv("GRAPHNET_NATIVE", str(tmp_path / "native"))
    return tmp_path


def rows_of(text):
    """The lines of a report by their first word."""
    return {line.split()[0]: line for line in text.splitlines() if line and line[0] != " "}


def test_the_module_runs():
    ran = subprocess.run(
        [sys.executable, "-m", "graphnet"],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=300,
    )
    assert "kernels" in ran.stdout
    assert not ran.stderr


def test_it_tells_its_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        command.main(["--version"])
    assert capsys.readouterr().out == f"graphnet {gn.__version__}\n"


def test_the_report_tells_what_is_in_use(folder, capsys):
    assert command.main([]) == 0
    lines = rows_of(capsys.readouterr().out)
    assert gn.__version__ in lines["graphnet"]
    assert str(Path(gn.__file__).parent) in lines["graphnet"]
    assert torch.__version__ in lines["torch"]
    assert f" {torch.get_num_threads()} of " in lines["threads"]
    assert torch.backends.cpu.get_cpu_capability() in lines["kernels"]
    assert ("oneDNN" in lines["kernels"]) == torch.backends.mkldnn.is_available()
    assert ("cuda:0" in lines["devices"]) == torch.cuda.is_available()
    assert "in use" in lines["SVG"]


def test_the_folder_of_the_data_sets(folder, monkeypatch):
    assert f"{folder} (GRAPHNET_DATA says so)" in rows_of(command.report())["data"]
    monkeypatch.delenv("GRAPHNET_DATA")
    assert "GRAPHNET_DATA chooses another" in rows_of(command.report())["data"]


def test_mnist_is_there_with_its_last_file(folder):
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for place, file in enumerate(FILES):
        assert "not there yet" in rows_of(command.report())["MNIST"]
        (raw / (file.name if place % 2 else f"{file.name}.gz")).touch()
    assert rows_of(command.report())["MNIST"].endswith("is there")


def test_the_compiler_and_its_cache(folder, monkeypatch):
    gcc = Compiler(("/usr/bin/gcc",), "gcc (Debian 12.2.0-14+deb12u1) 12.2.0")
    monkeypatch.setattr(command, "find_compiler", lambda: gcc)
    row = f"compiler    gcc 12.2.0 (native code; cache {folder / 'native'}: 0 libraries, 0.0 MB)"
    assert rows_of(command.report())["compiler"] == row
    monkeypatch.setattr(command, "find_compiler", lambda: None)
    row = 'none: native code is off; install gcc or clang, or pip install "graphnet[native]"'
    assert rows_of(command.report())["compiler"] == f"compiler    {row}"


def test_the_cache_of_libraries_is_cleared(folder, capsys):
    library = folder / "native" / f"{'a' * 64}-{'b' * 64}.so"
    library.parent.mkdir(mode=0o700)
    library.write_bytes(bytes(300_000))
    for removed in ("1 library, 0.3 MB", "0 libraries, 0.0 MB"):
        assert command.main(["--clear-cache"]) == 0
        assert capsys.readouterr().out == f"Removed from {library.parent}: {removed}.\n"
        assert not library.exists()


def test_every_extra_of_the_project_is_reported_and_no_other():
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert set(command.EXTRAS) == set(extras)
    for extra, package in command.EXTRAS.items():
        assert any(needed.startswith(package) for needed in extras[extra]), extra


@pytest.mark.parametrize(
    ("checkout", "way"), [(True, '-e ".[plot]" in'), (False, '"graphnet[plot]"')]
)
def test_what_is_missing_is_reported_with_the_way_to_get_it(folder, monkeypatch, checkout, way):
    def version(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr(command, "version", version)
    monkeypatch.setattr(command, "PACKAGE", (PROJECT.parent if checkout else folder) / "graphnet")
    assert f"no: pip install {way}" in rows_of(command.report())["plot"]


def test_devices_beside_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda place: f"card {place}")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert command.graphics_cards() == ["cuda:0 (card 0)", "mps"]


def test_unknown_arguments_are_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(["--nonsense"])
    assert "usage: graphnet" in capsys.readouterr().err
