"""The stage of every story, and what must hold at the end of each of them."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.demo.stage import Daemon, Stage
from tests.scenarios.acts import Expected


@pytest.fixture
def expected() -> Expected:
    """What this story expects to go wrong."""
    return Expected()


@pytest.fixture
async def stage(tmp_path: Path, expected: Expected) -> AsyncIterator[Stage]:
    """Emulators, people and clock; set `stage.settings` before the daemon is started."""
    async with Stage(tmp_path, fork=True) as opened:
        yield opened
    assert [] == opened.telegram.unexpected
    assert expected.repeated_texts == _repeated_texts(opened)
    assert [] == [line for daemon in opened.daemons for line in _troubles(daemon, expected)]


def _repeated_texts(stage: Stage) -> int:
    seen = Counter((message.chat_id, message.text) for message in stage.green.delivered)
    return sum(times - 1 for times in seen.values())


def _troubles(daemon: Daemon, expected: Expected) -> list[str]:
    return [line for line in daemon.output if _is_trouble(line, expected)]


def _is_trouble(line: str, expected: Expected) -> bool:
    if not line.startswith("{"):
        return not expected.plain_lines
    told: dict[str, Any] = json.loads(line)
    is_error = told["level"] in {"error", "critical"} or "exception" in told
    return is_error and told["event"] not in expected.errors
