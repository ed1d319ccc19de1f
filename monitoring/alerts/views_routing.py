"""Where alerts go: a tenant's tree, its receivers' health, one alert's way, and a test message with its receipt."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from fleetledger.fleet.access import teams_visible_to
from fleetledger.lib.numbers import whole
from fleetledger.web.accounts.callers import person_of
from fleetledger.web.downloads import csv_response, wants_csv
from monitoring.alerts import clock, reads_alert, reads_deliveries, reads_routing, tenants
from monitoring.alerts.acting import REFUSAL, actor
from monitoring.alerts.asked import numbers, tenant_of
from monitoring.alerts.errors import AlertsError
from monitoring.alerts.matchers import MatcherError, Op, parse_all
from monitoring.alerts.route_test import tests_route
from monitoring.alerts.tenants import Tenant

CSV_HEADER = (
    "receiver", "channel", "target", "state", "failures", "waiting", "last_delivered_at", "last_error", "last_error_at",
)  # fmt: skip
MAX_RECEIPTS = 50
EXAMPLE = 'alertname="GpuIdle", severity="warning"'


@require_safe
def routing(request: HttpRequest) -> HttpResponseBase:
    """The tree that routes a tenant's alerts, and where one with given labels would go."""
    person = person_of(request)
    seen = tenants.visible_to(person)
    if not seen:
        return render(request, "alerts/routing.html", {"routing": None})
    tenant = tenant_of(seen, request.GET.get("team", ""))
    if tenant is None:
        raise Http404("There is no such team among those you may see.")
    found = reads_routing.routing_of(tenant, clock.now())
    if wants_csv(request):
        places = (place for receiver in found.receivers for place in receiver.destinations)
        rows = ([getattr(place, name) for name in CSV_HEADER] for place in places)
        return csv_response(f"receivers-{tenant.slug}", CSV_HEADER, rows)
    context = {
        "tenant": tenant,
        "tenants": seen,
        "routing": found,
        "may_act": tenants.may_act(person, tenant),
        "example": EXAMPLE,
        **_asked_way(request, tenant),
        **_receipts(request),
    }
    return render(request, "alerts/routing.html", context)


@require_POST
def send_test(request: HttpRequest) -> HttpResponse:
    """Send a test message the way that these labels take; its receipts stand on the page that follows."""
    person = person_of(request)
    tenant = tenant_of(tenants.visible_to(person), request.POST.get("team", ""))
    if tenant is None:
        raise Http404("There is no such team among those you may see.")
    if not tenants.may_act(person, tenant):
        raise PermissionDenied(REFUSAL)
    text = request.POST.get("labels", "")[:4000].replace("\x00", "")
    back = [("team", tenant.slug), ("labels", text)]
    try:
        sent = tests_route(tenant, labels_of(text), actor(person))
    except AlertsError as error:
        messages.error(request, str(error))
        sent = ()
    back += [("receipt", str(message.pk)) for message in sent]
    return redirect(f"{reverse('alert-routing')}?{urlencode(back)}")


def _receipts(request: HttpRequest) -> dict[str, Any]:
    """What became of the test messages that the address names."""
    ids = numbers(request.GET.getlist("receipt"), MAX_RECEIPTS)
    found = reads_deliveries.some_deliveries(ids, teams=teams_visible_to(request.user)) if ids else []
    return {"receipts": found, "is_waiting": any(one.state == "queued" for one in found)}


def _asked_way(request: HttpRequest, tenant: Tenant) -> dict[str, Any]:
    """The routes that the labels of the address take."""
    text = request.GET.get("labels", "")[:4000].replace("\x00", "")
    alert_id = whole(request.GET.get("alert", ""), 0)
    if alert_id and not text:
        found = reads_alert.stored([alert_id], teams=teams_visible_to(request.user))
        text = (
            ", ".join(f'{name}="{_escaped(value)}"' for name, value in sorted(found[0].labels.items())) if found else ""
        )
    if not text:
        return {"labels_text": "", "ways": None, "taken": ()}
    try:
        ways = reads_routing.ways(tenant, labels_of(text), clock.now())
    except MatcherError as error:
        return {"labels_text": text, "ways": None, "taken": (), "labels_error": str(error)}
    return {"labels_text": text, "ways": ways, "taken": [way.path for way in ways]}


def labels_of(text: str) -> dict[str, str]:
    """Labels written as name="value", apart by commas; raises MatcherError."""
    found = parse_all(text)
    if any(matcher.op is not Op.EQUAL for matcher in found):
        raise MatcherError(f"Labels are written with =, such as {EXAMPLE}.")
    return {matcher.name: matcher.value for matcher in found if matcher.value}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
