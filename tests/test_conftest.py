"""How the tests themselves run: with plugins and without, and from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def ask(request, monkeypatch):
    """How many workers a run gets, from its options."""
    (conftest,) = (
        plugin
        for plugin in request.config.pluginmanager.get_plugins()
        if getattr(plugin, "__file__", None) == str(ROOT / "tests" / "conftest.py")
    )

    def workers(worker="", **options):
        monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
        if worker:
            monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
        option = SimpleNamespace(usepdb=False, ignore=None, **options)
        conftest.pytest_cmdline_main(SimpleNamespace(option=option, rootpath=ROOT))
        return getattr(option, "numprocesses", "no xdist")

    return workers


def test_there_are_two_workers_where_nothing_else_is_said(ask):
    assert ask(numprocesses=None, tx=[]) == 2
    assert ask() == "no xdist"
    for said in (0, 1, 4, "auto"):
        assert ask(numprocesses=said, tx=[]) == said
    assert ask(numprocesses=None, tx=["popen"]) is None
    assert ask(numprocesses=None, tx=[], worker="gw0") is None  # a worker starts no others


def libraries_of(folder, *options):
    """Where the libraries of a run lie, in each of its processes; what is left of it."""
    (folder / "test_where.py").write_text(
        "import os, pathlib\n"
        "import pytest\n"
        "@pytest.mark.parametrize('n', range(2))\n"
        "def test_where(n):\n"
        "    path = pathlib.Path(os.environ['GRAPHNET_NATIVE'])\n"
        "    assert path.stat().st_mode & 0o777 == 0o700\n"
        "    found = pathlib.Path(__file__).with_name(f'where{n}')\n"
        "    found.write_text(str(path), encoding='utf-8')\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, f"--rootdir={folder}",
               "-p", "conftest", *options, "test_where.py"]  # fmt: skip
    hidden = ("GRAPHNET_NATIVE", "HOME", "PYTEST_XDIST_WORKER")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT / "tests"), "GRAPHNET_NATIVE": str(folder / "user")},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {Path(each.read_text(encoding="utf-8")) for each in folder.glob("where*")}


@pytest.mark.slow
def test_compiled_libraries_stay_out_of_the_cache_of_the_user(tmp_path):
    (place,) = libraries_of(tmp_path)
    assert place == tmp_path / ".pytest_cache" / "d" / "native"
    (place,) = libraries_of(tmp_path, "-n", "0", "-p", "no:cacheprovider")
    assert tmp_path not in place.parents
    assert not place.exists()
    assert not (tmp_path / "user").exists()


@pytest.mark.slow
def test_the_tests_are_found_from_any_folder_and_without_workers(tmp_path):
    """Those of a package that needs jax in one of its files, which is not here."""
    places = [ROOT / "graphnet" / "bench", ROOT / "tests" / "bench", ROOT / "README.md"]
    plugins = ("xdist", "cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", *map(str, places),
         *(part for plugin in plugins for part in ("-p", f"no:{plugin}"))],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "README.md::README.md" in done.stdout
    assert "jax_step" not in done.stdout
