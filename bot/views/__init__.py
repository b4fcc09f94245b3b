"""What people read in Telegram: domain data in, Russian text and keyboards out; no I/O."""
