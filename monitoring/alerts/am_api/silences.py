"""Silences of the API."""

from typing import Any

from django.http import HttpResponse

from fleetledger.fleet.access import Capability
from monitoring.alerts import clock
from monitoring.alerts import silences as service
from monitoring.alerts.am_api import answers, quiet, shapes
from monitoring.alerts.am_api.entrance import Call, endpoint, reading
from monitoring.alerts.am_api.filters import matchers
from monitoring.alerts.silences import SilenceError
from monitoring.alerts.sources import fields


def listed(call: Call) -> HttpResponse:
    """GET silences."""
    now = clock.now()
    found = quiet.listed(call.tenant, matchers(call.request.GET))
    return answers.document([shapes.silence(item, now) for item in found])


def shown(call: Call, silence_id: str) -> HttpResponse:
    """GET silence/{id}."""
    return answers.document(shapes.silence(quiet.one(call.tenant, silence_id), clock.now()))


def posted(call: Call) -> HttpResponse:
    """POST silences: a new one, or a change of the one whose id it has."""
    wanted = fields.document_of(call.body)
    if not isinstance(wanted, dict):
        raise SilenceError("The body is no silence. Send matchers, startsAt, endsAt, createdBy and comment.")
    starts_at, ends_at = fields.instant_of(wanted, "startsAt"), fields.instant_of(wanted, "endsAt")
    if "startsAt" not in wanted or ends_at is None:
        raise SilenceError("A silence needs startsAt and endsAt, as in 2026-11-25T10:00:00Z.")
    made = service.create_or_update(
        call.tenant,
        wanted.get("matchers"),
        starts_at=starts_at or clock.now(),
        ends_at=ends_at,
        created_by=_text(wanted, "createdBy"),
        comment=_text(wanted, "comment"),
        silence_id=_text(wanted | {"id": wanted.get("id") or ""}, "id"),
        user=call.token.created_by,
    )
    return answers.document({"silenceID": str(made.pk)})


def deleted(call: Call, silence_id: str) -> HttpResponse:
    """DELETE silence/{id}: it ends now and stays in the history."""
    quiet.end(call.tenant, silence_id)
    return answers.done()


def _text(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str):
        raise SilenceError(f"A silence needs '{key}', a text.")
    return value


silences = endpoint(**reading(listed), POST=(Capability.HANDLE_ALERTS, posted))
silence = endpoint(**reading(shown), DELETE=(Capability.HANDLE_ALERTS, deleted))
