"""The page behind a page's link: it asks before it acknowledges, since scanners follow links."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from monitoring.alerts.oncall import paged
from monitoring.alerts.oncall.refused_links import LinkError

GONE = 410
# Nothing leaves our own site. With no-referrer the form would come without its Origin, and be refused.
OF_FORM, OF_REST = "same-origin", "no-referrer"


@login_not_required
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def page_link(request: HttpRequest, signed: str) -> HttpResponse:
    """GET and HEAD show what fires and change nothing; POST acknowledges it in the name of whoever was paged."""
    try:
        response = _acknowledged(request, signed) if request.method == "POST" else _asked(request, signed)
    except LinkError as error:
        response = render(request, "alerts/page_link_gone.html", {"error": error}, status=error.http_status)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response.setdefault("Referrer-Policy", OF_REST)
    return response


def _asked(request: HttpRequest, signed: str) -> HttpResponse:
    found = paged.paged(signed)
    response = _shown(request, found, ())
    if found.waiting:
        response["Referrer-Policy"] = OF_FORM
    return response


def _acknowledged(request: HttpRequest, signed: str) -> HttpResponse:
    """Shown at once: to send it again changes nothing."""
    found, done = paged.acknowledge(signed)
    return _shown(request, found, done.on_their_way, is_done=bool(done.alert_ids))


def _shown(
    request: HttpRequest, found: paged.Paged, on_their_way: tuple[str, ...], *, is_done: bool = False
) -> HttpResponse:
    context = {"paged": found, "on_their_way": on_their_way, "is_done": is_done}
    return render(request, "alerts/page_link.html", context, status=200 if found.open else GONE)
