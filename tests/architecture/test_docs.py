"""docs/operations.md and docs/prometheus-alerts.yml speak of this daemon, in its own words."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bot.services.alerts import Trouble
from bot.services.meters import Meters, Stopwatch
from bot.services.pulse import Pulse
from bot.settings import Settings
from bot.views.alerts import alert
from bot.web.metrics import Sources, _Scrape
from storage.figures import Counts
from storage.models import RowStatus
from tests.architecture.units import run, tool
from tests.builders import MONDAY_10

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs/operations.md"
ALERTS = ROOT / "docs/prometheus-alerts.yml"
COUNTS = Counts(
    rows=dict.fromkeys(RowStatus, 0), oldest_due_at=None, posts_waiting=0, updates_parked=0
)
# By the logger's method; `–` is what a line has that is printed past the logger.
LEVELS = {name: name for name in ("debug", "info", "warning", "error", "critical")}
LEVELS["exception"] = "error"
LOUD = {"warning", "error", "critical"}


# --- what the documents say ---------------------------------------------------------------------


def section(title: str) -> str:
    """A section of operations.md, by its heading."""
    _, _, rest = OPERATIONS.read_text("utf-8").partition(f"\n## {title}\n")
    assert rest, f"no section {title}"
    return rest.partition("\n## ")[0]


def rows_of(text: str, head: str) -> list[list[str]]:
    """The cells of the table whose first column is headed so."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {head} |"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def in_ticks(text: str) -> list[str]:
    """Everything that stands between single backquotes."""
    return re.findall(r"`([^`\n]+)`", text)


def documented_events() -> dict[str, str]:
    """Every event of the log's table, and its level."""
    rows = rows_of(section("2. Log"), "event")
    return {event: level for events, level, *_ in rows for event in in_ticks(events)}


# --- what the code has --------------------------------------------------------------------------


def events_of_the_code() -> dict[str, str]:
    """Every event that the daemon logs, and its level."""
    found: dict[str, str] = {}
    for package in ("bot", "storage", "greenapi"):
        for path in (ROOT / package).rglob("*.py"):
            if "demo" not in path.parts:
                found.update(_events(ast.parse(path.read_text("utf-8"))))
    return found


def _events(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (level := _level(node)):
            yield from ((word, level) for word in _words(node.args[0]))
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            named = (v for k, v in pairs if isinstance(k, ast.Constant) and k.value == "event")
            yield from ((word, "–") for value in named for word in _words(value))


def _level(call: ast.Call) -> str | None:
    """The level of `_log.info("…")`, or of the same with `structlog.get_logger(…)` for `_log`."""
    if not (isinstance(call.func, ast.Attribute) and call.args):
        return None
    owner = ast.unparse(call.func.value)
    is_log = owner == "_log" or owner.startswith("structlog.get_logger(")
    return LEVELS.get(call.func.attr) if is_log else None


def _words(value: ast.expr) -> Iterator[str]:
    """The constant, or both constants of a choice."""
    if isinstance(value, ast.IfExp):
        yield from (*_words(value.body), *_words(value.orelse))
    elif isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value


def metrics() -> tuple[set[str], dict[str, set[str]]]:
    """The names of families and samples that a scrape can have, and the values of each label."""
    meters = Meters(Stopwatch(lambda: 0.0))
    with meters.green_api.time("sendMessage"):
        pass
    pulse = Pulse(lambda: 0.0)
    pulse.watch("outbox", within=1)

    async def unread(_: object) -> Counts:
        return COUNTS

    sources = Sources(
        meters=meters,
        pulse=pulse,
        held=lambda: None,
        pass_seconds=lambda: 1.0,
        read_counts=unread,
    )
    names: set[str] = set()
    labels: dict[str, set[str]] = {}
    text = generate_latest(_Scrape(sources, COUNTS, MONDAY_10)).decode()
    for family in text_string_to_metric_families(text):
        counted = family.type == "counter"
        names |= {family.name + "_total" if counted else family.name}
        for sample in family.samples:
            names |= {sample.name} - {family.name + "_created"}
            for key, value in sample.labels.items():
                labels.setdefault(key, set()).add(value)
    return names, labels


def keys() -> set[str]:
    """Every `section.key` of the configuration."""
    found = set()
    for name, field in Settings.model_fields.items():
        annotation: Any = field.annotation
        if get_origin(annotation) is not dict:
            found |= {f"{name}.{key}" for key in annotation.model_fields}
        else:
            found |= {f"{name}.{key}" for key in get_args(annotation)[1].model_fields}
    return found


# --- and that it is the same --------------------------------------------------------------------


def test_events_of_the_log_exist() -> None:
    """Every event in the log's table is logged by the code, at that level."""
    code = events_of_the_code()

    assert {name: code.get(name) for name in documented_events()} == documented_events()


def test_loud_events_are_explained() -> None:
    """Every event that the code logs as a warning or worse stands in the log's table."""
    loud = {name for name, level in events_of_the_code().items() if level in LOUD}

    assert set() == loud - set(documented_events())


@pytest.mark.parametrize("path", [OPERATIONS, ALERTS], ids=lambda path: path.name)
def test_metrics_exist(path: Path) -> None:
    """Every metric that a document names is one of a scrape."""
    named = set(re.findall(r"\bprogrev_\w+", path.read_text("utf-8")))

    assert named
    assert set() == named - metrics()[0]


def test_metrics_are_explained() -> None:
    """Every metric of a scrape stands in the table of metrics."""
    parts = re.compile("_(bucket|count|sum)$")
    told = {
        name
        for row in rows_of(section("5. Metrics and /healthz"), "metric")
        for name in in_ticks(row[0])
    }

    assert {parts.sub("", name) for name in metrics()[0]} == told


def test_alerts_ask_for_values_that_exist() -> None:
    """A rule that picks a result, outcome or status picks one that a scrape has."""
    _, labels = metrics()
    picked = re.findall(r'\b(result|outcome|status)=~?"([^"]+)"', ALERTS.read_text("utf-8"))

    assert picked
    assert [] == [p for p in picked if not set(p[1].split("|")) <= labels[p[0]]]


def test_alert_rules_are_ones_to_prometheus() -> None:
    """Prometheus itself takes the file."""
    code, output = run([tool("promtool", "prometheus"), "check", "rules", str(ALERTS)])

    assert 0 == code, output


@pytest.mark.parametrize("path", [OPERATIONS, ALERTS], ids=lambda path: path.name)
def test_keys_exist(path: Path) -> None:
    """Every `section.key` that a document names is one of the settings."""
    sections = "|".join(Settings.model_fields)
    named = {
        word
        for word in in_ticks(path.read_text("utf-8"))
        if re.fullmatch(rf"({sections})\.[a-z_]+", word)
    }

    assert set() == named - keys()


def test_toml_examples_are_settings() -> None:
    """Every example of configuration has sections and keys of the settings."""
    examples = re.findall(r"```toml\n(.*?)```", OPERATIONS.read_text("utf-8"), re.DOTALL)
    tables = [tomllib.loads(example) for example in examples]

    assert tables
    assert set() == {f"{s}.{key}" for table in tables for s in table for key in table[s]} - keys()


def test_every_alert_is_explained() -> None:
    """The table of alerts has every trouble, under the title that the chat shows, and no other."""
    told = [row[0] for row in rows_of(section("4. Alerts in the chat"), "alert")]
    shown = [alert({"trouble": t, "details": "", "over": False}).render()[0] for t in Trouble]

    assert [text.splitlines()[0].removeprefix("🚨 ").rstrip(".") for text in shown] == told


@pytest.mark.parametrize("path", [OPERATIONS, ALERTS], ids=lambda path: path.name)
def test_nothing_of_a_real_machine(path: Path) -> None:
    """No path of a developer's machine, and no phone but the invented ones."""
    text = path.read_text("utf-8")
    phones = re.findall(r"(?<!\d)7\d{10}(?!\d)", text)

    assert None is re.search(r"(?<![\w.])/(root|work|home)\b", text)
    assert set() == set(phones) - {"79001234567"}
