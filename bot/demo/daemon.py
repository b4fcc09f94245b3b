"""The daemon on somebody else's clock: `python -m bot.demo.daemon --clock HOST:PORT`.

The same `app.run` as in production; only the clock that it is given differs.
"""

import argparse
import asyncio
import faulthandler
import os
import sys
from pathlib import Path

from bot import app, logs
from bot.demo.clock import Follower
from bot.errors import BotError
from bot.settings import load
from bot.systemd import Notifier


def main() -> int:
    """Run the daemon until a signal; the exit codes are those of `progrev run`."""
    faulthandler.enable()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clock", required=True, metavar="HOST:PORT")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE")
    chosen = parser.parse_args()
    try:
        os.umask(0o077)
        asyncio.run(_run(chosen.config, chosen.clock))
    except BotError as error:
        print(f"progrev: {error}", file=sys.stderr)
        return error.exit_code
    return 0


async def _run(config: Path, address: str) -> None:
    settings = load(config, os.environ)
    clock = await Follower.connect(address)
    logs.configure(settings.log.level, settings.log.format, settings.secrets(), now=clock.now)
    async with asyncio.TaskGroup() as group:
        following = group.create_task(clock.follow())
        await app.run(settings, clock=clock, notifier=Notifier.from_environ(os.environ))
        following.cancel()


if __name__ == "__main__":
    sys.exit(main())
