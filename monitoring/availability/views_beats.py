"""Addresses that somebody must call: whoever has the address may call, and each call is noted."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from monitoring.availability import acts
from monitoring.availability.errors import NotFoundError


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def beat(_request: HttpRequest, token: str) -> HttpResponse:
    """GET, HEAD or POST /probe/{token}."""
    try:
        acts.beat(token)
        response = HttpResponse("OK\n", content_type="text/plain")
    except NotFoundError as error:
        response = HttpResponse(f"{error}\n", content_type="text/plain", status=error.http_status)
    response["Cache-Control"] = "no-store"
    return response
