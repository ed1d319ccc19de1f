"""Alerts of the API: what senders post, and the list and the groups that they and people read."""

from functools import cache

from django.http import HttpResponse

from fleetledger.fleet.access import Capability
from monitoring.alerts import clock, ingest
from monitoring.alerts.am_api import answers, shapes
from monitoring.alerts.am_api.entrance import Call, endpoint, reading
from monitoring.alerts.am_api.filters import wanted
from monitoring.alerts.am_api.listing import groups, open_alerts
from monitoring.alerts.senders import key_of
from monitoring.alerts.sources import alertmanager
from monitoring.alerts.sources.posted import Posted


def listed(call: Call) -> HttpResponse:
    """GET alerts."""
    asked = wanted(call.request.GET)
    found = open_alerts(call.tenant, asked.has_labels)
    shown = [alert for alert in found if asked.has_receiver(*alert.receivers) and asked.has_state(alert)]
    return answers.document(list(map(shapes.alert, shown)))


def grouped(call: Call) -> HttpResponse:
    """GET alerts/groups."""
    asked = wanted(call.request.GET)
    found = tuple(alert for alert in open_alerts(call.tenant, asked.has_labels) if asked.has_state(alert))
    return answers.document(list(map(shapes.group, groups(found, asked.has_receiver))))


def posted(call: Call) -> HttpResponse:
    """POST alerts: the valid ones are stored, whatever is wrong with the others."""
    return take(call, alertmanager.read(call.body, cache(clock.now)))


def take(call: Call, read: alertmanager.Read) -> HttpResponse:
    """Store what was read, sender by sender, and answer with what was not."""
    found, errors = read
    for sender, reports in _by_sender(call, found).items():
        ingest.receive(call.tenant, sender, reports, token=call.token)
    return answers.refused(alertmanager.joined(errors)) if errors else answers.done()


def _by_sender(call: Call, found: list[Posted]) -> dict[str, list[Posted]]:
    """As a rule one sender posts all of a body."""
    senders: dict[str, list[Posted]] = {}
    for item in found:
        senders.setdefault(key_of(call.token, item.generator_url, call.address), []).append(item)
    return senders


alerts = endpoint(**reading(listed), POST=(Capability.SEND_ALERTS, posted))
alert_groups = endpoint(**reading(grouped))
