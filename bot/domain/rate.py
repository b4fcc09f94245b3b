"""How often somebody may come: at most so many times in a period, counted for each key.

Pure, and bounded: only the keys that came last are remembered. What a key stands for (an address,
a phone) is not known here.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from math import ceil

_MOST_KEYS = 10_000


class Cap:
    """At most `most` times in a period that begins with the first of them.

    Two such periods may touch, so within one `period` a key may come up to twice as often.
    """

    def __init__(self, most: int, period: timedelta, *, keys: int = _MOST_KEYS) -> None:
        """Of more than `keys` keys the one that was not counted for longest is forgotten."""
        self._most = most
        self._period = period
        self._keys = keys
        self._counts: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def wait(self, key: str, now: datetime) -> int | None:
        """The whole seconds until `key` may come again; None if it may now."""
        began, times = self._window(key, now)
        if times < self._most:
            return None
        return max(1, ceil((began + self._period - now).total_seconds()))

    def count(self, key: str, now: datetime) -> None:
        """`key` came once more."""
        began, times = self._window(key, now)
        self._counts[key] = (began, times + 1)
        self._counts.move_to_end(key)
        if len(self._counts) > self._keys:
            self._counts.popitem(last=False)

    def _window(self, key: str, now: datetime) -> tuple[datetime, int]:
        """The key's period and its count; a new one if the old is over, or lies in the future."""
        began, times = self._counts.get(key, (now, 0))
        if timedelta() <= now - began < self._period:
            return began, times
        return now, 0
