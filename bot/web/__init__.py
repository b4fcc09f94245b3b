"""The HTTP side-port: leads come in here, and a dispatch pass can be asked for."""
