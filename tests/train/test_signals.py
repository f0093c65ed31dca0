"""Signals wait for the end of a step; a second one does not wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from graphnet.train import signals
from graphnet.train.signals import (
    SIGNALS,
    Interruption,
    Stopped,
    end_at_once_on_sigterm,
    exit_on_sigterm,
)

BOTH = [signal.SIGINT, signal.SIGTERM]


class HeardError(Exception):
    """The handler outside has been called."""


@pytest.fixture
def outside():
    """A handler outside for both signals, and then the handlers of the tests again."""

    def handler(number, frame):
        raise HeardError(number)

    before = [signal.signal(each, handler) for each in BOTH]
    yield handler
    for each, old in zip(BOTH, before, strict=True):
        signal.signal(each, old)


def handlers():
    return [signal.getsignal(each) for each in BOTH]


def test_both_are_minded():
    assert list(SIGNALS) == BOTH


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_is_noted(outside, number, code):
    with Interruption() as interruption:
        assert (interruption.signal, interruption.exit_code) == (None, 0)
        os.kill(os.getpid(), number)
        assert interruption.signal is number
    assert (interruption.signal, interruption.exit_code) == (number, code)
    assert handlers() == [outside, outside]
    with pytest.raises(HeardError):
        signal.raise_signal(number)


def test_a_forked_worker_ends_at_once():
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with exit_on_sigterm():
            end_at_once_on_sigterm()
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("number", "at_a_prompt", "kind"),
    [
        (signal.SIGINT, True, KeyboardInterrupt),
        (signal.SIGINT, False, Stopped),
        (signal.SIGTERM, True, SystemExit),
        (signal.SIGTERM, False, SystemExit),
    ],
)
def test_a_session_at_a_prompt_goes_on_after_control_c(number, at_a_prompt, kind, monkeypatch):
    monkeypatch.delattr(sys, "ps1", raising=False)
    if at_a_prompt:
        monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    interruption = Interruption()
    interruption.signal = signal.Signals(number)
    ending = interruption.ending()
    assert type(ending) is kind
    assert getattr(ending, "code", 128 + number) == 128 + number
    assert isinstance(ending, KeyboardInterrupt) == (number == signal.SIGINT)


def test_sigterm_may_be_an_exit():
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(SystemExit, match="143"), exit_on_sigterm():
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_handler_outside_stays(outside):
    with exit_on_sigterm(), pytest.raises(HeardError):
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("second", BOTH)
@pytest.mark.parametrize("first", BOTH)
def test_the_second_signal_acts_at_once(outside, first, second):
    with Interruption() as interruption:
        signal.raise_signal(first)
        with pytest.raises(HeardError, match=str(int(second))):
            signal.raise_signal(second)
        assert interruption.signal is first
        assert handlers() == [outside, outside]
    assert handlers() == [outside, outside]


def test_the_second_ctrl_c_is_a_keyboard_interrupt(outside):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt), Interruption():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
    assert handlers() == [signal.default_int_handler, outside]


def test_handlers_come_back_after_an_error(outside):
    with pytest.raises(KeyError), Interruption():
        raise KeyError
    assert handlers() == [outside, outside]


def test_one_inside_another(outside):
    with Interruption() as outer:
        with Interruption() as inner:
            signal.raise_signal(signal.SIGINT)
            assert (outer.signal, inner.signal) == (None, signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)  # the outer one waits for the end of its own step
            assert outer.signal is signal.SIGTERM
        with pytest.raises(HeardError):
            signal.raise_signal(signal.SIGINT)
    assert handlers() == [outside, outside]


def test_what_is_ignored_stays_ignored(outside):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        assert interruption.signal is None
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        signal.raise_signal(signal.SIGTERM)
        assert interruption.signal is signal.SIGTERM
    assert handlers() == [signal.SIG_IGN, outside]


def test_in_another_thread_nothing_changes(outside):
    seen = []

    def work():
        with Interruption() as interruption:
            seen.append((handlers(), interruption.signal))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [([outside, outside], None)]
    assert handlers() == [outside, outside]


def test_real_signals_never_tear_a_step(outside):
    """300 signals at any moment: the two numbers of a step are equal at each end."""
    main, pair, torn, done = threading.main_thread().ident, [0, 0], 0, threading.Event()
    caught = 0

    def disturb(count):
        for _ in range(count):
            while not ready.is_set():
                time.sleep(0)
            ready.clear()
            signal.pthread_kill(main, signal.SIGINT)
        done.set()

    ready = threading.Event()
    thread = threading.Thread(target=disturb, args=(300,))
    thread.start()
    while not done.is_set() or caught < 300:
        with Interruption() as interruption:
            ready.set()
            while interruption.signal is None:
                pair[0] += 1
                pair[1] += 1
        torn += pair[0] != pair[1]
        caught += 1
    thread.join()
    assert (torn, caught) == (0, 300)


PROGRAM = """
import signal, sys, time
from signals import Interruption  # the file alone, which starts faster
signal.signal(signal.SIGINT, signal.default_int_handler)
with Interruption() as interruption:
    print("ready", flush=True)
    while interruption.signal is None:
        time.sleep(0.001)
    print("step", flush=True)
    if sys.argv[1] == "slow":
        time.sleep(60)
sys.exit(interruption.exit_code)
"""


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (signal.SIGINT, None, 130),
        (signal.SIGTERM, None, 143),
        (signal.SIGINT, signal.SIGTERM, -signal.SIGTERM),
        (signal.SIGTERM, signal.SIGINT, -signal.SIGINT),
    ],
)
def test_exit_codes_of_a_program(first, second, code):
    arguments = [sys.executable, "-c", PROGRAM, "slow" if second else "fast"]
    world = {**os.environ, "PYTHONPATH": str(Path(signals.__file__).parent)}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        arguments, stdout=pipe, stderr=pipe, encoding="utf-8", env=world
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(first)
        assert process.stdout.readline() == "step\n"
        if second:
            process.send_signal(second)
        assert process.wait(timeout=60) == code
