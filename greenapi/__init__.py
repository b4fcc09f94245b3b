"""A thin GREEN-API (WhatsApp) client, and an emulator of the service for tests and the demo."""
