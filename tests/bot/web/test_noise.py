"""Refused requests are counted, and told once a minute."""

import structlog

from bot.demo.clock import Conductor
from bot.web.noise import Noise
from tests.builders import MONDAY_10


def test_a_line_a_minute_for_each_kind() -> None:
    """The first of a kind is told at once, the next line comes a minute later with all since."""
    clock = Conductor(MONDAY_10)
    noise = Noise(clock)
    with structlog.testing.capture_logs() as told:
        for _ in range(1000):
            noise.heard("malformed")
        noise.heard("robot")
        clock.jump(61)
        noise.heard("malformed")
        noise.heard("malformed")

    assert [("malformed", 1), ("robot", 1), ("malformed", 1000)] == [
        (line["kind"], line["times"]) for line in told
    ]
    assert {"requests_refused"} == {line["event"] for line in told}
    assert {"malformed": 1002, "robot": 1} == noise.totals


def test_clock_set_back_silences_nothing() -> None:
    """After the clock went back, lines come as before."""
    clock = Conductor(MONDAY_10)
    noise = Noise(clock)
    with structlog.testing.capture_logs() as told:
        noise.heard("malformed")
        clock.jump(-3600)
        noise.heard("malformed")

    assert 2 == len(told)
