"""Turns every refusal of the API into an RFC 9457 problem: one sentence that says what to do."""

import math
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from rest_framework import exceptions

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
log = structlog.get_logger(__name__)


class ProblemError(Exception):
    """A refusal with its status; `detail` is the sentence, `extra` what a program can act on."""

    status: int = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, detail: str, *, status: int | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status or self.status
        self.extra = extra


class NotFoundError(ProblemError):
    """What does not exist, and what another team has: the caller cannot tell which."""

    status = HTTPStatus.NOT_FOUND


class ConflictError(ProblemError):
    status = HTTPStatus.CONFLICT


def problem(
    status: int, detail: str, *, headers: Mapping[str, str] | None = None, extra: Mapping[str, Any] | None = None
) -> HttpResponse:
    """An application/problem+json answer."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": int(status), "detail": detail}
    content = orjson.dumps({**body, **(extra or {})}, default=str)
    response = HttpResponse(content, content_type=MEDIA_TYPE, status=status)
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def as_problem(error: Exception, _context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's exception handler. An app's own errors take part by carrying `http_status`, and `wait_s` where a
    later try may work; None lets a bug be a bug.
    """
    if isinstance(error, exceptions.APIException):
        return _of_rest_framework(error)
    if isinstance(error, OperationalError | InterfaceError):
        log.error("the database did not answer", error=str(error))
        return _unanswered_problem()
    return _of_product(error)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The site's 404: a problem below /api/, the page elsewhere."""
    if request.path.startswith("/api/"):
        return problem(404, f"No endpoint has the address {request.path}. See /api/v1/docs/ for those that exist.")
    from django.views.defaults import page_not_found

    return page_not_found(request, exception)


def unanswered(request: HttpRequest) -> HttpResponse:
    """The site's 503 while the database is away: a problem below /api/, the page elsewhere. Asks nobody."""
    if request.path.startswith("/api/"):
        return _unanswered_problem()
    response = HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": str(RETRY_AFTER_S)})
    response["Cache-Control"] = "no-store"
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """The site's 500: a problem below /api/, the page elsewhere; 503 where it is the database that failed."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return unanswered(request)
    if request.path.startswith("/api/"):
        return problem(500, "This request met a mistake of ours. It was logged with its time and address.")
    from django.views.defaults import server_error as page

    return page(request)


def _unanswered_problem() -> HttpResponse:
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return problem(503, f"The database does not answer. Try again in {RETRY_AFTER_S} seconds.", headers=headers)


def _of_product(error: Exception) -> HttpResponse | None:
    if isinstance(error, ProblemError):
        return problem(error.status, error.detail, extra=error.extra)
    if isinstance(error, RequestDataTooBig):
        return problem(413, f"The body is longer than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes. Send less at once.")
    if isinstance(error, Http404):
        return problem(404, "Nothing is here, or nothing that you may see.")
    if isinstance(error, PermissionDenied):
        return problem(403, str(error) or "You may not do this.")
    status = getattr(error, "http_status", None)
    if not isinstance(status, int):
        return None
    wait_s = getattr(error, "wait_s", None)
    return problem(status, str(error), headers={"Retry-After": str(wait_s)} if wait_s else None)


def _of_rest_framework(error: exceptions.APIException) -> HttpResponse:
    headers: dict[str, str] = {}
    if isinstance(error, exceptions.AuthenticationFailed | exceptions.NotAuthenticated):
        headers["WWW-Authenticate"] = getattr(error, "auth_header", "") or "Bearer"
    wait = getattr(error, "wait", None)
    if isinstance(error, exceptions.Throttled) and wait is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    if isinstance(error, exceptions.ValidationError):
        errors = _errors(error.detail)
        return problem(422, " ".join(item["detail"] for item in errors), extra={"errors": errors})
    return problem(error.status_code, _sentence(error.detail), headers=headers)


def _errors(detail: Any, pointer: str = "") -> list[dict[str, str]]:
    """DRF's nested error lists as a flat list of {pointer, detail}."""
    if isinstance(detail, dict):
        return [item for key, value in detail.items() for item in _errors(value, f"{pointer}/{key}")]
    if isinstance(detail, list):
        return [item for value in detail for item in _errors(value, pointer)]
    return [{"pointer": pointer, "detail": str(detail)}]


def _sentence(detail: Any) -> str:
    return " ".join(item["detail"] for item in _errors(detail))
