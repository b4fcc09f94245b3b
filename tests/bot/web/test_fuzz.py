"""Whatever body is posted, in whatever format: an answer, one lead at most, and flat memory."""

import asyncio
import gc
import os
import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from bot.demo.clock import Conductor
from bot.web.bodies import LONGEST_BODY
from storage.storage import Storage
from tests.bot.web.conftest import Answer, Given, Line, SidePort, form_post, side_port
from tests.bot.web.posts import Post, posts
from tests.builders import MONDAY_10

# The clock all but stands still: a repeat is one for ten minutes, however slow this machine is.
UNLIMITED: dict[str, Any] = {
    "clock": Conductor(MONDAY_10, rate=1e-6),
    "form": {"max_per_minute": 1_000_000},
    "max_per_hour_per_phone": 1_000_000,
}

# Resident memory may grow by so much between the first third and the end. Statement caches, the
# cache of field names and the caps' counts are full early; the rest is what the allocator keeps
# for bodies of up to 256 KiB. All bodies of the long run together are over 100 MB.
GROWTH_BYTES = 16 * 1024 * 1024


class Poster:
    """Posts on one connection and keeps book of what it was told."""

    def __init__(self, side: SidePort) -> None:
        self.side = side
        self.line: Line | None = None
        self.taken: set[int] = set()

    async def posts(self, post: Post) -> None:
        """Post and judge the answer; what made a lead is posted again and must not make another."""
        answer = await self._answer(post)
        if answer.status == 413:
            assert is_too_long(post), post
            return
        assert 200 == answer.status, post
        said, lead_id = answer.body.get("status"), answer.body.get("lead_id")
        if said in {"ok", "duplicate"}:
            assert (said == "ok") == (lead_id is None), (post, answer)
            assert lead_id is None or lead_id in self.taken, (post, answer)
            return
        assert said in {"accepted", "unparsed"}, (post, answer)
        assert lead_id not in self.taken, (post, answer)
        self.taken.add(lead_id)
        again = await self._answer(post)
        assert {"status": "duplicate", "lead_id": lead_id} == again.body, post

    async def _answer(self, post: Post) -> Answer:
        headers = {"Content-Type": post.content_type}
        if post.encoding:
            headers["Content-Encoding"] = post.encoding
        if post.idempotency_key:
            headers["Idempotency-Key"] = post.idempotency_key
        self.line = self.line or await self.side.call()
        self.line.write(form_post(post.body, headers))
        answer = await self.line.answer()
        if answer.headers.get("Connection") == "close":
            await self.line.close()
            self.line = None
        return answer


def is_too_long(post: Post) -> bool:
    """Whether the body, or what can be unpacked of it, is longer than 256 KiB."""
    length = len(post.body)
    if post.encoding == "gzip":
        with suppress(zlib.error):
            unpacker = zlib.decompressobj(32 + zlib.MAX_WBITS)
            length = max(length, len(unpacker.decompress(post.body, LONGEST_BODY + 1)))
    return length > LONGEST_BODY


@asynccontextmanager
async def _open(database: Path) -> AsyncIterator[Poster]:
    storage = Storage(f"sqlite:///{database}")
    await storage.open()
    try:
        async with side_port(storage, Given(**UNLIMITED)) as side:
            yield Poster(side)
    finally:
        await storage.close()


@contextmanager
def poster_on(database: Path, runner: asyncio.Runner) -> Iterator[Poster]:
    """A side-port that lives on the runner's loop."""
    opened = _open(database)
    poster = runner.run(opened.__aenter__())
    try:
        yield poster
    finally:
        runner.run(opened.__aexit__(None, None, None))


def post_batch(poster: Poster, runner: asyncio.Runner, number: int, examples: int) -> None:
    """Post so many invented bodies; a batch is reproduced by its number."""

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # the database remembers: a shrunk body would be a repeat
        suppress_health_check=list(HealthCheck),
    )
    @given(posts)
    def run(post: Post) -> None:
        runner.run(poster.posts(post))

    run()


def check(database: Path, batches: int, examples: int) -> None:
    """Post all batches; compare memory after the first third with memory at the end."""
    resident = []
    with asyncio.Runner() as runner, poster_on(database, runner) as poster:
        for number in range(batches):
            post_batch(poster, runner, number, examples)
            gc.collect()
            resident.append(resident_bytes())
        leads = {lead_id for (lead_id,) in poster.side.sql("SELECT id FROM leads")}
        raw, with_raw = poster.side.sql(
            "SELECT count(*), count(DISTINCT lead_id) FROM raw_requests"
        )[0]

    sys.stdout.write(f"{raw} posts kept, {len(leads)} leads, resident bytes {resident}\n")
    assert leads == poster.taken
    assert len(leads) == with_raw <= raw
    assert GROWTH_BYTES > resident[-1] - resident[batches // 3], resident


def resident_bytes() -> int:
    """What this process holds in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_invented_bodies(tmp_path: Path) -> None:
    """Of some hundreds of invented bodies each is answered 200 and makes one lead or none."""
    check(tmp_path / "progrev.db", batches=4, examples=50)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_twenty_thousand_invented_bodies(tmp_path: Path) -> None:
    """Of 20,000 invented bodies each is answered 200 and makes one lead or none."""
    check(tmp_path / "progrev.db", batches=40, examples=500)
