"""The addresses at which calendars read shifts, each with its own signature in place of signing in."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from monitoring.alerts import clock
from monitoring.alerts.oncall import ical_links, ical_out

GONE = "No calendar is here any more. Copy a new link from the on-call page.\n"


@login_not_required
@require_safe
def calendar(_request: HttpRequest, signed: str) -> HttpResponse:
    """404 for what we did not sign, for people who are gone, and for schedules that they may not see any more."""
    link = ical_links.read(signed)
    text = ical_out.text_for(link, clock.now(), settings.BASE_URL) if link else None
    if text is None:
        response = HttpResponse(GONE, content_type="text/plain; charset=utf-8", status=404)
    else:
        response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
        response["Content-Disposition"] = 'inline; filename="on-call.ics"'
    response["Cache-Control"] = "private, no-cache"
    response["Referrer-Policy"] = "no-referrer"
    return response
