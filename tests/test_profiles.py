"""The same examples in every run, whatever a process has imported; other ones where asked for."""

from __future__ import annotations

import importlib.util
import itertools
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import engine
from profiles import FACTOR, FRESH, REPEATABLE, SHRINKING, examples, register

numbers = itertools.count()


@pytest.fixture
def profile():
    """Loads a profile for one test."""
    before = settings.get_current_profile_name()
    yield settings.load_profile
    settings.load_profile(before)


def drawn(count=300):
    """What a test draws that hopes for numbers and texts that other modules know."""
    found = []

    @examples(count)
    @given(st.tuples(st.integers(), st.floats(), st.text()))
    def probe(values):
        found.append(repr(values))

    probe()
    return found


def import_a_module_of_constants(folder):
    """A module of this checkout's kind, which is in no site-packages and no folder of tests."""
    path = folder / f"constants{next(numbers)}.py"
    lines = [f"{n * 1_000_003}, {n * 10.7}, 'word{n}'," for n in range(100)]
    path.write_text("VALUES = [\n" + "\n".join(lines) + "\n]\n", encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[path.stem])
    return path.stem


@pytest.mark.slow
def test_examples_do_not_depend_on_what_is_imported(profile, tmp_path_factory):
    profile(REPEATABLE)
    before = drawn()
    name = import_a_module_of_constants(tmp_path_factory.mktemp("package"))
    try:
        assert drawn() == before
    finally:
        del sys.modules[name]


@pytest.mark.slow
def test_fresh_seeds_draw_more_and_others_each_time(profile):
    profile(FRESH)
    first, second = drawn(50), drawn(50)
    assert min(len(first), len(second)) >= 50 * FACTOR
    assert set(first) != set(second)


@pytest.mark.parametrize("name", [REPEATABLE, FRESH])
def test_a_run_is_bounded(name, profile):
    profile(name)
    made = examples(7)
    assert made.max_examples == 7 * (FACTOR if name == FRESH else 1)
    assert (made.database, made.deadline, made.derandomize) == (None, None, name == REPEATABLE)
    assert engine.MAX_SHRINKING_SECONDS == SHRINKING


def test_profiles_may_be_registered_again(profile):
    register()
    assert settings.get_current_profile_name() == REPEATABLE
