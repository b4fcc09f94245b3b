"""Bells that one part of the daemon rings so that another looks at the database at once.

They carry nothing: what there is to do stands in the database, and a bell that nobody hears only
means that it is done at the next look.
"""

import asyncio
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Bells:
    """One bell for each loop that can be hurried, and the one that ends the day."""

    posts: asyncio.Event = field(default_factory=asyncio.Event)
    queue: asyncio.Event = field(default_factory=asyncio.Event)
    inbox: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)  # never reset: start nothing new

    def ring(self) -> None:
        """Something changed: look at the posts and at the queue."""
        self.posts.set()
        self.queue.set()

    def stop(self) -> None:
        """Start nothing new; wake whoever sleeps, to hear it."""
        self.stopping.set()
        self.ring()
        self.inbox.set()
