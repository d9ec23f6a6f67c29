"""A budget of core-seconds holds whatever a question does: loops, sleeps, threads, children, orphans."""

import json
import time

import pytest
from attacks import sandbox

from tools.grading.channel import Ended
from tools.grading.judge import Ask
from tools.grading.sandbox import Limits, Sandbox

CELL = """
import hashlib, os, signal, threading, time

def burn(seconds):
    began = time.process_time()
    while time.process_time() - began < seconds:
        hashlib.sha256(bytes(1_000_000)).digest()
    return 1

def sleep(seconds):
    time.sleep(seconds)
    return 1

def threads(seconds):
    began, end = time.process_time(), []
    def work():
        while time.process_time() - began < seconds:
            hashlib.sha256(bytes(1_000_000)).digest()
    end = [threading.Thread(target=work) for _ in range(3)]
    [each.start() for each in end]
    [each.join() for each in end]
    return 1

def child(seconds):
    if not os.fork():
        burn(seconds)
        os._exit(0)
    os.wait()
    return 1

def orphans(seconds):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody will be told what they used
    for _ in range(3):
        if not os.fork():
            burn(seconds / 3)
            os._exit(0)
        time.sleep(seconds / 3 + 0.3)
    return 1
"""


def asked(budget: float, name: str, *args, box: Sandbox | None = None):
    ask = Ask(box or sandbox(), (CELL,))
    try:
        ask.start()
        return ask.within(budget, name, *args)
    finally:
        ask.close()


@pytest.mark.parametrize("how", ["burn", "threads", "child", "orphans"])
def test_who_uses_more_is_stopped(how, sandboxed):
    with pytest.raises(Ended, match=r"more than 0.5 core-seconds"):
        asked(0.5, how, 1.2)


def test_an_endless_question_ends_soon_after_its_budget(sandboxed):
    ask = Ask(sandbox(), (CELL,))
    ask.start()
    began = time.monotonic()
    with pytest.raises(Ended, match="core-seconds"):
        ask.within(0.3, "burn", 60)
    assert time.monotonic() - began < 10
    ask.close()


@pytest.mark.parametrize(("how", "seconds"), [("burn", 0.3), ("sleep", 1.0), ("child", 0.3)])
def test_who_uses_less_is_answered_and_sleep_is_free(how, seconds, sandboxed):
    assert asked(0.9, how, seconds) == 1


def test_what_ends_between_two_looks_is_counted_too():
    """Trusted, where there is no other limit: the answer comes before the next look."""
    with pytest.raises(Ended, match="core-seconds"):
        asked(0.05, "burn", 0.15, box=Sandbox(trust=True, limits=Limits(load=20, answer=5)))


def test_a_question_before_does_not_count():
    ask = Ask(Sandbox(trust=True, limits=Limits(load=20, answer=5)), (CELL,))
    assert [ask.within(0.5, "burn", 0.3) for _ in range(3)] == [1, 1, 1]
    ask.close()


def test_with_one_process_there_is_no_second(sandboxed):
    """No child and no thread can work beside the one that is asked."""
    ask = Ask(Sandbox(limits=Limits(processes=1)), (CELL,))
    for how in ("child", "threads"):
        with pytest.raises(Exception, match=r"OSError|BlockingIOError|RuntimeError"):
            ask.within(2.0, how, 0.1)
    assert ask.within(2.0, "burn", 0.1) == 1
    ask.close()
    assert json.dumps(ask.said)
