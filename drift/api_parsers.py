"""Takes a report's body as it is, whatever its content type, up to the limit."""

import zlib
from collections.abc import Callable, Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from drift.errors import ReportTooLargeError


class Body(dict[str, bytes]):
    """A request's body that is a file: its `content`."""


class AnyBody(BaseParser):
    """The body's bytes; `Content-Encoding: gzip` is undone, since it belongs to the way and not to the file."""

    media_type = "*/*"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Body:
        del media_type
        return Body(content=body_of(stream, parser_context, ReportTooLargeError))


def body_of(
    stream: IO[bytes], parser_context: Mapping[str, Any] | None, too_large: Callable[[int], Exception]
) -> bytes:
    """The body's bytes up to the limit of a report, which `too_large` gets; gzip is undone."""
    limit: int = settings.DRIFT_REPORT_MAX_BYTES
    content = stream.read(limit + 1)
    if len(content) > limit:
        raise too_large(limit)
    headers = parser_context["request"].headers if parser_context else {}
    encoding = headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return content
    if encoding != "gzip":
        raise ParseError("Send the body as it is, or with 'Content-Encoding: gzip'.")
    return _undone(content, limit, too_large)


def _undone(content: bytes, limit: int, too_large: Callable[[int], Exception]) -> bytes:
    packed = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        plain = packed.decompress(content, limit + 1)
    except zlib.error as error:
        raise ParseError("The body is no gzip, as its Content-Encoding says.") from error
    if len(plain) > limit:
        raise too_large(limit)
    if not packed.eof:
        raise ParseError("The body's gzip is cut off.")
    return plain
