"""The table of faults names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "faults.md").read_text("utf-8").splitlines()
    if re.match(r"\| \d+ \|", line)
]


def test_all_faults_are_in_the_table() -> None:
    """The 41 faults stand in their order, each with what happens."""
    numbers = [int(cells[0]) for cells in LINES]

    assert list(range(1, 42)) == numbers
    assert [] == [cells[0] for cells in LINES if not all(cells) or len(cells) != 4]


def test_named_tests_exist() -> None:
    """Every test that the table names can be found in the tree; without one, it says why."""
    assert [] == [cells[0] for cells in LINES if not _is_answered(cells[2], cells[3])]


def _is_answered(what_happens: str, named: str) -> bool:
    if named == "—":
        return "does not apply yet:" in what_happens
    found = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", named)
    if found is None or not (ROOT / found[1]).is_file():
        return False
    source = (ROOT / found[1]).read_text("utf-8")
    return re.search(rf"^(async )?def {found[2]}\(", source, re.MULTILINE) is not None
