"""Tracebacks without source get the lines that this process has."""

from __future__ import annotations

import linecache
import traceback
from functools import partial

import pytest

from graphnet.train.rounds_once import sourced


def fail(seed):
    return 1 // (seed - seed)  # here


class Make:
    def __call__(self, seed):
        return self.inner(seed)

    @staticmethod
    def inner(seed):
        return fail(seed)


def nested():
    def make(seed):
        return [fail(each) for each in (seed,)]

    return make


MAKES = {
    "function": fail,
    "partial": partial(fail),
    "object": Make(),
    "method": Make().__call__,
    "class": lambda seed: Make().inner(seed),
    "nested": nested(),
    "partial of an argument": partial(lambda inner, seed: inner(seed), fail),
}


def bare(make):
    """The traceback of a failure as printed by a worker without files, and the original one."""
    try:
        make(3)
    except ZeroDivisionError as error:
        whole = "".join(traceback.format_exception(error))
    frames = [line for line in whole.splitlines() if not line.startswith("    ")]
    return "\n".join(frames).replace(__file__, "<dynamic-code>"), whole


@pytest.mark.parametrize("name", MAKES)
def test_the_lines_come_back(name):
    text, _ = bare(MAKES[name])
    assert "# here" not in text
    found = sourced(text, MAKES[name])
    place = found.index("    return 1 // (seed - seed)  # here\n")
    assert found[:place].endswith("in fail\n")
    assert f'File "{__file__}", line {fail.__code__.co_firstlineno + 1}, in fail' in found


def test_what_is_not_known_stays_as_it_is(monkeypatch):
    text, whole = bare(fail)
    assert sourced(whole, fail) == whole  # nothing is missing
    other = text.replace("in fail", "in other")
    assert 'File "<dynamic-code>"' in sourced(other, fail)
    for make in (print, 3, None, partial(print), object()):
        assert sourced(text, make) == text
    monkeypatch.setattr(linecache, "getlines", lambda *_, **__: [])
    assert sourced(text, fail) == text  # a file that has gone


def test_a_variable_that_has_no_value_yet_does_no_harm():
    def make(seed):
        return later(seed)

    text = bare(fail)[0]
    assert sourced(text, make) == text
    later = fail
    assert "# here" in sourced(text, make)
