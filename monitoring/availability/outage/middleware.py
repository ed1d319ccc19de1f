"""Answers while the database is away: /status from the file within three seconds, everything else with a sentence."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from fleetledger.rest.problems import unanswered
from monitoring.availability.outage import snapshot
from monitoring.availability.outage.watch import watch

Next = Callable[[HttpRequest], HttpResponse]
STATUS = ("/status", "/availability")
ON_ITS_OWN = "/public/status"
"""The public page keeps what it shows by itself."""
AWAY = 503


class OutageMiddleware:
    """Before anything that asks the database, the session above all."""

    def __init__(self, get_response: Next) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info.rstrip("/")
        if path in STATUS and request.method in ("GET", "HEAD"):
            return self._status(request)
        if watch.is_away and not path.startswith(ON_ITS_OWN):
            return unanswered(request)
        return self._next(request)

    def _status(self, request: HttpRequest) -> HttpResponse:
        if watch.is_away or not watch.answers_now():
            return last_picture()
        response = self._next(request)
        return last_picture() if response.status_code == AWAY else response


def last_picture() -> HttpResponse:
    """PostgreSQL is red, and everything else grey, as of the last time that it could be seen."""
    page = render_to_string("availability/last_picture.html", {"snapshot": snapshot.read()})
    response = HttpResponse(page)
    response["Cache-Control"] = "no-store"
    return response
