"""Takes a report's body as it is, whatever its content type, up to the limit."""

import zlib
from collections.abc import Mapping
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
        limit: int = settings.DRIFT_REPORT_MAX_BYTES
        content = stream.read(limit + 1)
        if len(content) > limit:
            raise ReportTooLargeError(limit)
        headers = parser_context["request"].headers if parser_context else {}
        encoding = headers.get("Content-Encoding", "").strip().lower()
        if encoding in ("", "identity"):
            return Body(content=content)
        if encoding != "gzip":
            raise ParseError("Send the body as it is, or with 'Content-Encoding: gzip'.")
        return Body(content=_undone(content, limit))


def _undone(content: bytes, limit: int) -> bytes:
    packed = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        plain = packed.decompress(content, limit + 1)
    except zlib.error as error:
        raise ParseError("The body is no gzip, as its Content-Encoding says.") from error
    if len(plain) > limit:
        raise ReportTooLargeError(limit)
    if not packed.eof:
        raise ParseError("The body's gzip is cut off.")
    return plain
