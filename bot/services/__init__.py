"""Use cases: each takes what it needs in its constructor and knows neither Telegram nor HTTP."""
