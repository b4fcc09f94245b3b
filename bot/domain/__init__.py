"""Rules of the warm-up: pure, synchronous, no I/O; the present moment is always an argument."""
