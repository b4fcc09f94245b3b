"""What the daemon remembers: leads, the queue, cards; one writer, one file."""
