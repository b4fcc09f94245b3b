"""The demo: both emulators, an accelerated clock, and a story that is played on the real daemon."""
