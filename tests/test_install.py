"""Wheel and source archive: both build, and what is installed from them is the whole package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import graphnet as gn

ROOT = Path(__file__).parent.parent
LIGHT = 2_000_000  # bytes of the wheel: most of it are fonts


def run(*command, **options):
    """What a command prints; an error shows all of it."""
    ran = subprocess.run(
        [str(each) for each in command],
        capture_output=True,
        encoding="utf-8",
        timeout=3000,
        check=False,
        **options,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def build(kind, source, folder):
    """Build a wheel or an sdist without a network; returns the path of the file."""
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder, cwd=source)
    (made,) = folder.iterdir()
    return made


def unpacked(archive, folder):
    with tarfile.open(archive) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", None)  # from Python 3.11.4 on
        tar.extractall(folder)
    (inside,) = folder.iterdir()
    return inside


def environment_with(wheel, folder):
    """A new environment with graphnet alone; what it depends on is borrowed from this one.

    A path that a .pth file names is searched for modules, but not for other .pth files: an editable
    install of the checkout does not shine through.
    """
    venv.create(folder)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / Path(sys.executable).name
    program = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(run(python, "-c", program).strip())
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "borrowed.pth").write_text("\n".join(sorted(paths)), encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel)
    return python


@pytest.fixture
def clean(monkeypatch):
    """No setting of this process leads the others to the checkout."""
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH"):
        monkeypatch.delenv(name, raising=False)
    # what is borrowed as well: the templates by which notebooks become pages
    monkeypatch.setenv("JUPYTER_PATH", str(Path(sys.prefix) / "share" / "jupyter"))


@pytest.mark.slow
def test_the_archive_builds_the_wheel_and_the_wheel_installs(tmp_path, clean, capsys):
    archive = build("sdist", ROOT, tmp_path / "sdist")
    source = unpacked(archive, tmp_path / "source")
    wheel = build("wheel", source, tmp_path / "wheel")
    assert archive.name == f"graphnet-{gn.__version__}.tar.gz"
    assert wheel.name == f"graphnet-{gn.__version__}-py3-none-any.whl"
    with capsys.disabled():
        print(f" wheel {wheel.stat().st_size:,} bytes, archive {archive.stat().st_size:,} bytes ")
    assert wheel.stat().st_size < LIGHT
    assert files_of(wheel) == files_of_the_package()

    python = environment_with(wheel, tmp_path / "environment")
    told = run(python, "-c", "import graphnet as g; print(g.__version__, g.__file__)", cwd=tmp_path)
    version, file = told.split(maxsplit=1)
    assert version == gn.__version__
    assert Path(file.strip()).is_relative_to(tmp_path / "environment")
    assert run(python.parent / "graphnet", "--version") == f"graphnet {gn.__version__}\n"


def files_of(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    return {name for name in names if ".dist-info/" not in name}


def files_of_the_package():
    folder = Path(gn.__file__).parent
    files = (path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder.parent).as_posix() for path in files}
    return {name for name in names if "__pycache__" not in name}


def test_the_version_stands_in_one_place():
    """No other file of the checkout names it as that of graphnet."""
    told = re.compile(rf"^(__version__|version)\s*=\s*[\"']{re.escape(gn.__version__)}", re.M)
    package = Path(gn.__file__).parent
    files = [ROOT / "pyproject.toml", *package.rglob("*.py")]
    places = [path for path in files if told.search(path.read_text(encoding="utf-8"))]
    assert places == [package / "version.py"]


@pytest.mark.slow
def test_what_is_installed_passes_the_tests_of_the_archive(tmp_path, clean):
    """All tests, in a folder without the package: they import what is installed."""
    source = unpacked(build("sdist", ROOT, tmp_path / "sdist"), tmp_path / "source")
    wheel = build("wheel", source, tmp_path / "wheel")
    shutil.rmtree(source / "graphnet")
    python = environment_with(wheel, tmp_path / "environment")
    program = "import graphnet, pathlib; print(pathlib.Path(graphnet.__file__).parent)"
    installed = Path(run(python, "-c", program, cwd=tmp_path).strip())
    assert installed.is_relative_to(tmp_path / "environment")
    left_out = f"--ignore={source / 'tests' / 'test_install.py'}"
    told = run(python, "-P", "-m", "pytest", "-q", left_out, "tests", "README.md", cwd=source)
    assert " passed" in told
