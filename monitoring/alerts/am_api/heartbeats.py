"""Addresses that somebody must call: each call is noted, and whoever has the address may call."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from monitoring.alerts import clock
from monitoring.alerts.models import Heartbeat


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def heartbeat(_request: HttpRequest, key: str) -> HttpResponse:
    """GET, HEAD or POST /heartbeat/{key}; what is missed is seen elsewhere."""
    is_known = Heartbeat.objects.filter(key=key).update(last_at=clock.now())
    response = HttpResponse("OK\n" if is_known else "No heartbeat has this address.\n", content_type="text/plain")
    response.status_code = 200 if is_known else 404
    response["Cache-Control"] = "no-store"
    return response
