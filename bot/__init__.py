"""Progrev: a lead, a card, a call, and a WhatsApp warm-up sent once."""
