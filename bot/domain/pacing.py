"""When the next call to a Telegram chat may be made.

Telegram allows about one message a second to a chat and twenty a minute to a group
(https://core.telegram.org/bots/faq). Edits are counted like messages here, since their weight is
not published. A few places of each minute are kept for answers to people.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

# A little over a minute and a second: calls arrive less evenly than they leave.
MINUTE = timedelta(seconds=61)
_STEP = timedelta(seconds=1.1)
_GROUP_LIMIT = 20
_KEPT_FOR_PEOPLE = 2
_BURST = 8  # so many go a second apart; then they are spread, so that a place is always near


def next_call_at(
    calls: Sequence[datetime], now: datetime, *, group: bool, background: bool
) -> datetime:
    """The earliest moment for one more call, after `calls` of the last minute, oldest first.

    `background` calls (cards, edits that nobody waits for) leave room for answers to people.
    """
    recent = [call for call in calls if now - MINUTE < call <= now]
    if not recent:
        return now
    moment = max(now, recent[-1] + _STEP)
    if not group:
        return moment
    limit = _GROUP_LIMIT - _KEPT_FOR_PEOPLE if background else _GROUP_LIMIT
    if len(recent) >= limit:
        moment = max(moment, recent[-limit] + MINUTE)
    if background and len(recent) >= _BURST:
        moment = max(moment, recent[-1] + MINUTE / limit)
    return moment
