"""Long-lived coroutines: wait, call one service, log the outcome, repeat."""
