"""The body of a request: whole, in time, not too long, and unpacked."""

import zlib

from aiohttp import web

from bot.clock import Clock

LONGEST_BODY = 256 * 1024  # bytes, unpacked
_BODY_SECONDS = 10.0

# zlib's `wbits`: a gzip or zlib header is recognised; some senders leave out deflate's.
_HEADER_OR_NOT = (32 + zlib.MAX_WBITS, -zlib.MAX_WBITS)
_PACKED = ("gzip", "x-gzip", "deflate")


async def read_body(request: web.Request, clock: Clock) -> bytes:
    """Read the body of `request`.

    Raises:
        web.HTTPRequestEntityTooLarge: it is longer than 256 KiB, or would be when unpacked.
        web.HTTPRequestTimeout: it took longer than 10 s.
        web.HTTPBadRequest: the sender went away, or broke the protocol within the body.
    """
    if (request.content_length or 0) > LONGEST_BODY:
        raise _too_long()
    try:
        async with clock.timeout(_BODY_SECONDS):
            body = await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout(reason="the body took longer than 10 s") from None
    except web.HTTPRequestEntityTooLarge:
        raise _too_long() from None
    except (ConnectionError, web.RequestPayloadError):
        raise web.HTTPBadRequest(reason="the body broke off") from None
    return unpacked(body, request.headers.get("Content-Encoding", ""))


def unpacked(body: bytes, encoding: str) -> bytes:
    """`body` without its Content-Encoding; as it came if it is not what the header says.

    Raises `web.HTTPRequestEntityTooLarge` before more than 256 KiB are unpacked.
    """
    if len(body) > LONGEST_BODY:
        raise _too_long()
    if encoding.strip().casefold() not in _PACKED:
        return body
    for wbits in _HEADER_OR_NOT:
        decoder = zlib.decompressobj(wbits)
        try:
            plain = decoder.decompress(body, LONGEST_BODY + 1)
        except zlib.error:
            continue
        if len(plain) > LONGEST_BODY:
            raise _too_long()
        if decoder.eof:
            return plain
    return body


def _too_long() -> web.HTTPRequestEntityTooLarge:
    return web.HTTPRequestEntityTooLarge(LONGEST_BODY, reason="the body is longer than 256 KiB")
