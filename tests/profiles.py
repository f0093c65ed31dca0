"""How Hypothesis draws examples: one profile for all tests, and one with fresh seeds.

Both have no database and no deadline, so that neither an earlier run nor the speed of the machine
counts, and both are bounded: a fixed number of examples, and half a minute to shorten a failing
one.
"""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.internal.conjecture import engine, providers

REPEATABLE, FRESH = "repeatable", "fresh"
FACTOR = 5  # how many times more examples there are with fresh seeds
SHRINKING = 30  # seconds


def register() -> None:
    """Register both profiles, and load the one that draws the same examples in every run.

    `derandomize` alone does not do that. Among what it draws, Hypothesis mixes numbers and texts
    that it reads in the source of every module of this checkout that is imported by then: the
    examples of a test would depend on the tests that ran before it in the same process.
    """
    providers.is_local_module_file = lambda path: False
    engine.MAX_SHRINKING_SECONDS = SHRINKING
    bounded = settings(
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate, Phase.target, Phase.shrink),
        suppress_health_check=[
            HealthCheck.too_slow,  # depends on the machine
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    settings.register_profile(REPEATABLE, bounded, derandomize=True)
    settings.register_profile(FRESH, bounded, derandomize=False, print_blob=True)
    settings.load_profile(REPEATABLE)


def examples(count: int) -> settings:
    """Settings of a test with this many examples, and more of them with fresh seeds."""
    fresh = settings.get_current_profile_name() == FRESH
    return settings(max_examples=count * (FACTOR if fresh else 1))
