"""Bodies of `multipart/form-data`, split into fields; a file is known by its name only.

Bounded and linear, for what browsers and form senders really post (RFC 7578): no nested parts,
no transfer encodings. Bytes in, bytes out: charsets are decided by `bot.domain.forms`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER_BYTES = 4_096
_BOUNDARY = re.compile(r"boundary=(?:\"([^\"]{1,200})\"|([^\s;,\"]{1,200}))", re.IGNORECASE)
_FIRST_LINE = re.compile(rb"\s*--([^\r\n]{1,200}?)[ \t]*\r?\n")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_NAME = re.compile(rb"[;\s]name=(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;]+))", re.IGNORECASE)
_FILE_NAME = re.compile(rb"[;\s]filename=(?:\"([^\"]*)\"|([^\s;]*))", re.IGNORECASE)
_CHARSET = re.compile(rb"charset=\"?([\w.:-]{1,40})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One field as sent; `charset` is what the part itself declared, or empty."""

    name: bytes
    value: bytes
    charset: str = ""


def _boundary(body: bytes, content_type: str) -> bytes | None:
    """The delimiter in use: the declared one if the body has it, else its own first line."""
    declared = _BOUNDARY.search(content_type)
    if declared:
        boundary = (declared[1] or declared[2]).encode(errors="replace")
        if b"--" + boundary in body:
            return boundary
    line = _FIRST_LINE.match(body)
    return line[1] if line else None


def _unquoted(match: re.Match[bytes]) -> bytes:
    """The parameter's text; browsers write a quote as %22, others as a backslash and a quote."""
    text = match[1] if match[1] is not None else match[2]
    return text.replace(b"%22", b'"').replace(b'\\"', b'"')


def _part(chunk: bytes) -> Part | None:
    blank = _BLANK_LINE.search(chunk[:_HEADER_BYTES])
    if blank is None:
        return None
    headers, value = b"\n" + chunk[: blank.start()], chunk[blank.end() :]
    name, file_name = _NAME.search(headers), _FILE_NAME.search(headers)
    if name is None:
        return None
    if file_name:
        value = re.split(rb"[\\/]", _unquoted(file_name))[-1]
    charset = _CHARSET.search(headers)
    return Part(
        _unquoted(name),
        value.removesuffix(b"\n").removesuffix(b"\r"),
        charset[1].decode() if charset else "",
    )


def parts(body: bytes, content_type: str, most: int) -> Iterator[Part]:
    """The first `most` fields of `body`; none if it is not multipart at all."""
    boundary = _boundary(body, content_type)
    if boundary is None:
        return
    for chunk in (b"\n" + body).split(b"\n--" + boundary, most + 1)[1 : most + 1]:
        if chunk.startswith(b"--"):  # the closing delimiter
            return
        part = _part(chunk.lstrip(b" \t").removeprefix(b"\r").removeprefix(b"\n"))
        if part:
            yield part
