"""Addresses that somebody must call: each call is noted, and whoever has the address may call."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from monitoring.alerts.errors import NotFoundError
from monitoring.alerts.rules import heartbeats


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def heartbeat(_request: HttpRequest, key: str) -> HttpResponse:
    """GET, HEAD or POST /heartbeat/{key}; one that was missed is looked at at once."""
    try:
        heartbeats.beat(key)
        response = HttpResponse("OK\n", content_type="text/plain")
    except NotFoundError as error:
        response = HttpResponse(f"{error}\n", content_type="text/plain", status=error.http_status)
    response["Cache-Control"] = "no-store"
    return response
