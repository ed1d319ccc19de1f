"""Reads a request's body, also one that comes in chunks without telling its length, which Django takes for empty."""

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest


def body_of(request: HttpRequest) -> bytes:
    """The whole body; raises RequestDataTooBig."""
    told, is_terminated = request.META.get("CONTENT_LENGTH"), request.META.get("wsgi.input_terminated")
    if told or not is_terminated:
        return request.body
    return _until_its_end(request)


def _until_its_end(request: HttpRequest) -> bytes:
    """For servers that say where the body ends, as granian and gunicorn do."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    content: bytes = request.META["wsgi.input"].read(limit + 1)
    if len(content) > limit:
        raise RequestDataTooBig
    return content
