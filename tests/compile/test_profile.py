"""Profiles: each line has the time of its best round."""

from __future__ import annotations

import pytest
from compile.training import dense_feeds, dense_training

from graphnet.compile.run.runner import ROUNDS, Profile, best_times


@pytest.mark.parametrize(
    ("runs", "counts"), [(1, [1]), (3, [1, 1, 1]), (10, [2] * 5), (13, [3, 3, 3, 2, 2])]
)
def test_rounds_share_the_runs(runs, counts):
    spent, made, rounds = [7.0, 7.0], [], []

    def run():
        if spent == [0.0, 0.0]:
            rounds.append(0)
        rounds[-1] += 1
        made.append(1)
        spent[0] += 1.0
        spent[1] += 2.0

    assert best_times(run, spent, runs) == [1.0, 2.0]
    assert rounds == counts
    assert len(made) == runs


def test_a_line_has_the_mean_time_of_its_best_round():
    # Two runs in each of five rounds; the machine is slow in some.
    times = iter([9, 9, 2, 4, 8, 8, 3, 9, 5, 5])
    spent = [0.0, 0.0]

    def run():
        took = next(times)
        spent[0] += took
        spent[1] += 10 - took

    assert best_times(run, spent, 2 * ROUNDS) == [3.0, 1.0]


@pytest.mark.parametrize("backend", ["torch", None])
def test_a_slow_moment_does_not_count(backend, monkeypatch):
    step = dense_training("SGD").compiled(backend=backend)
    step(dense_feeds()[0])
    profile = step.profile(dense_feeds()[0], runs=10)
    assert all(microseconds >= 0 for *_, microseconds in profile.lines)
    assert repr(profile) == f"<Profile of {len(profile.lines)} lines: {profile.total:.1f} µs>"


def test_lines_that_are_too_short_for_the_clock_have_no_share():
    profile = Profile([("y = x", "copy", 0.0)])
    assert "0.00   0.0%  copy  y = x" in str(profile)
    assert '<td class="n">0.0%</td>' in profile._repr_html_()


def test_a_notebook_shows_the_slowest_line_first():
    html = Profile([("a", "first", 1.0), ("b", "second", 3.0)])._repr_html_()
    assert html.index("<td>second") < html.index("<td>first")
    assert "75.0%" in html
