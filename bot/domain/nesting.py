"""Nested form data as flat named texts: JSON objects, and PHP's bracketed names alike.

Knows how senders describe one field as an object, and nothing of what a field means.
"""

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

Node: TypeAlias = "dict[str, Node] | list[Node] | str | bool | None"

LABEL_CHARS = 200
_BRACKETS = re.compile(r"([^\s\[\]]{1,200})((?:\[[^\[\]]{0,200}\]){1,8})")

# One field as an object: Elfsight {"id", "name", "value", "type"}, Elementor's advanced mode
# {"id", "type", "title", "value", "raw_value", "required"}, Facebook {"name", "values"}.
_FIELD_LABELS = ("title", "label", "name", "key", "id")
_FIELD_KEYS = frozenset(
    (*_FIELD_LABELS, "value", "values", "raw_value", "type", "field_type", "required")
)


def gathered(members: list[tuple[str, Node]]) -> Node:
    """An object; a key that comes twice gets both values, as an array."""
    found: dict[str, list[Node]] = {}
    for key, value in members:
        found.setdefault(key, []).append(value)
    return {key: values if len(values) > 1 else values[0] for key, values in found.items()}


def grouped(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, Node]]:
    """Pairs with PHP's bracketed names (`fields[a][value]`, `days[]`) gathered into objects."""
    nodes: list[tuple[str, Node]] = []
    groups: dict[str, dict[str, Node]] = {}
    for label, value in pairs:
        match = _BRACKETS.fullmatch(label)
        if match is None:
            nodes.append((label, value))
            continue
        if match[1] not in groups:
            groups[match[1]] = {}
            nodes.append((match[1], groups[match[1]]))
        _put(groups[match[1]], match[2][1:-1].split("]["), value)
    return nodes


def _put(node: dict[str, Node], path: list[str], value: str) -> None:
    """Add `value` at `path`; where a text already stands in the way, beside it."""
    for depth, step in enumerate(path[:-1]):
        child = node.setdefault(step, {})
        if not isinstance(child, dict):
            path = [".".join(path[depth:])]
            break
        node = child
    leaf = node.setdefault(path[-1], [])
    while isinstance(leaf, dict):
        leaf = leaf.setdefault("", [])
    if isinstance(leaf, list):
        leaf.append(value)


def flatten(members: Iterable[tuple[str, Node]]) -> Iterator[tuple[str, str]]:
    """Named texts of all members, depth first, in their order; no depth is too deep."""
    waiting = list(members)[::-1]
    while waiting:
        label, node = waiting.pop()
        if isinstance(node, (dict, list)) and (inner := _inner(label, node)):
            waiting.extend(reversed(inner))
        else:
            yield label, _scalar(node)


def _inner(label: str, node: "dict[str, Node] | list[Node]") -> list[tuple[str, Node]]:
    """What `node` consists of, named; nothing if it is one text (an array of scalars)."""
    if isinstance(node, dict):
        field = as_field(label, node)
        return [field] if field else [(_joined(label, key), node[key]) for key in node]
    if any(isinstance(item, (dict, list)) for item in node):
        return [(_joined(label, str(index)), item) for index, item in enumerate(node)]
    return []


def as_field(label: str, node: Node) -> tuple[str, Node] | None:
    """The field that an object describes: what people call it, else its id, and its value."""
    if not isinstance(node, dict) or not node.keys() <= _FIELD_KEYS:
        return None
    if "value" not in node and "values" not in node:
        return None
    names = (_scalar(node[key]) for key in _FIELD_LABELS if key in node)
    return next((name for name in names if name.strip()), label), node.get(
        "value", node.get("values")
    )


def _joined(outer: str, key: str) -> str:
    return (f"{outer}.{key}" if outer and key else outer or key)[:LABEL_CHARS]


def _scalar(node: Node) -> str:
    words = node if isinstance(node, list) else [node]
    return ", ".join(filter(None, map(_word, words)))


def _word(node: Node) -> str:
    if isinstance(node, bool):
        return "да" if node else "нет"
    return node if isinstance(node, str) else ""
