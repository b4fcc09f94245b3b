"""The Telegram edge: paced calls, who may do what, and where dialog steps are kept."""
