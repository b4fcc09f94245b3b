"""The side-port's configuration keys: how networks and caps are written, what is refused."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.settings import Settings, load
from tests.bot.test_settings import ENVIRON


def load_with(tmp_path: Path, lines: str) -> Settings:
    """The settings with these lines under [webhook]."""
    path = tmp_path / "config.toml"
    path.write_text(f"[webhook]\n{lines}\n", "utf-8")
    return load(path, ENVIRON)


def test_proxies_are_addresses_or_networks(tmp_path: Path) -> None:
    """A single address is a network of one."""
    settings = load_with(tmp_path, 'trusted_proxies = ["127.0.0.1", "10.0.0.0/8", "::1"]')

    wanted = tuple(map(ip_network, ("127.0.0.1/32", "10.0.0.0/8", "::1/128")))
    assert wanted == settings.webhook.trusted_proxies


def test_proxies_in_the_environment() -> None:
    """The list may come from the environment as JSON."""
    environ = {**ENVIRON, "PROGREV_WEBHOOK__TRUSTED_PROXIES": '["127.0.0.1"]'}

    assert (ip_network("127.0.0.1"),) == load(None, environ).webhook.trusted_proxies


@pytest.mark.parametrize(
    ("line", "told"),
    [
        pytest.param('trusted_proxies = ["proxy.example"]', "IPv4 or IPv6 network", id="a name"),
        pytest.param('trusted_proxies = ["10.0.0.1/8"]', "IPv4 or IPv6 network", id="host bits"),
        pytest.param('trusted_proxies = "127.0.0.1"', "must be a list", id="no list"),
        pytest.param("max_per_minute_per_address = 0", "must be at least 1", id="no address"),
        pytest.param("max_per_hour_per_phone = 0", "must be at least 1", id="no phone"),
        pytest.param('honeypot = ""', "must not be empty", id="nameless honeypot"),
    ],
)
def test_refused_values(tmp_path: Path, line: str, told: str) -> None:
    """A value that cannot be meant is refused in one line that names the key."""
    with pytest.raises(ConfigError) as caught:
        load_with(tmp_path, line)

    key, _, said = caught.value.problems[0].partition(": ")
    assert (1, f"webhook.{line.partition(' ')[0]}") == (len(caught.value.problems), key)
    assert told in said
