"""Answers as Alertmanager words them: documents, plain texts as JSON strings, and code with message."""

from datetime import datetime
from typing import Any

import orjson
from django.http import HttpResponse

JSON = "application/json"


def document(content: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(orjson.dumps(content), content_type=JSON, status=status)


def done() -> HttpResponse:
    """Taken, and nothing to say."""
    return HttpResponse(content_type=JSON)


def refused(sentence: str, status: int = 400) -> HttpResponse:
    """A refusal of what an endpoint was given: its clients read a JSON string."""
    return document(sentence, status)


def turned_away(status: int, sentence: str, **headers: str) -> HttpResponse:
    """A refusal before any endpoint was reached."""
    response = document({"code": status, "message": sentence}, status)
    for name, value in headers.items():
        response[name.replace("_", "-")] = value
    return response


def instant(at: datetime) -> str:
    """RFC 3339 with milliseconds; `at` is in UTC."""
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"
