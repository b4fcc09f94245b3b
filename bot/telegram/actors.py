"""Who acts, in the words the chat shows."""

from aiogram.types import User

from storage.models import Actor


def actor_of(user: User) -> Actor:
    """The person behind an update."""
    return Actor(user.id, user.full_name or str(user.id))
