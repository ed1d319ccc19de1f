"""What was told: the outbox with its tries and answers, and one message in full."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fleetledger.fleet.access import teams_visible_to
from fleetledger.lib.keyset import Cut
from fleetledger.lib.numbers import whole
from fleetledger.web.downloads import csv_response, wants_csv
from monitoring.alerts import clock, reads_deliveries
from monitoring.alerts.models import ChannelKind, MessageKind, MessageState
from monitoring.alerts.reads_deliveries import Delivery, DeliveryFilter

PAGE_SIZE = 50
CSV_HEADER = (
    "id", "key", "team", "receiver", "channel", "kind", "state", "alerts", "title", "tries", "created_at", "due_at",
    "finished_at", "last_error",
)  # fmt: skip
TRY_HEADER = ("number", "sending_at", "finished_at", "is_delivered", "status", "answer")


@require_safe
def delivery_list(request: HttpRequest) -> HttpResponseBase:
    """Messages, the newest first."""
    teams = teams_visible_to(request.user)
    wanted = _wanted(request.GET)
    if wants_csv(request):
        return csv_response("deliveries", CSV_HEADER, map(_cells, reads_deliveries.every_delivery(wanted, teams=teams)))
    before = whole(request.GET.get("before", ""), 0) or None
    found = reads_deliveries.deliveries(wanted, Cut(PAGE_SIZE), before, teams=teams)
    shown = found[:PAGE_SIZE]
    context = {
        "rows": shown,
        "next_before": shown[-1].id if len(found) > PAGE_SIZE else None,
        "is_first": before is None,
        "wanted": wanted,
        "sums": reads_deliveries.sums(teams=teams, at=clock.now()),
        "states": MessageState.choices,
        "kinds": MessageKind.choices,
        "channels": ChannelKind.choices,
        "receivers": reads_deliveries.receivers(teams=teams),
    }
    return render(request, "alerts/deliveries.html", context)


@require_safe
def delivery(request: HttpRequest, message_id: int) -> HttpResponseBase:
    """One message: its attempts with their answers, and what it says."""
    found = reads_deliveries.delivery(message_id, teams=teams_visible_to(request.user))
    if found is None:
        raise Http404("There is no such message among those you may see.")
    if wants_csv(request):
        rows = ([getattr(each, name) for name in TRY_HEADER] for each in found.attempts)
        return csv_response(f"delivery-{message_id}", TRY_HEADER, rows)
    context = {"detail": found, "one": found.delivery, "body": _body(found)}
    return render(request, "alerts/delivery.html", context)


def _wanted(query: Mapping[str, str]) -> DeliveryFilter:
    def one_of(name: str, known: list[str]) -> str:
        return query.get(name, "") if query.get(name, "") in known else ""

    return DeliveryFilter(
        state=one_of("state", MessageState.values),
        kind=one_of("kind", MessageKind.values),
        channel=one_of("channel", ChannelKind.values),
        receiver=query.get("receiver", "")[:200].replace("\x00", ""),
    )


def _body(found: reads_deliveries.DeliveryDetail) -> str:
    """The alerts of the message as they were when it was queued."""
    known = {
        "group_labels": dict(found.group_labels),
        "note": found.note,
        "alerts": [
            {
                "status": line.status,
                "labels": dict(line.labels),
                "annotations": dict(line.annotations),
                "starts_at": line.starts_at,
                "ends_at": line.ends_at,
            }
            for line in found.lines
        ],
    }
    return orjson.dumps(known, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode()


def _cells(row: Delivery) -> list[Any]:
    return [str(row.key) if name == "key" else getattr(row, name) for name in CSV_HEADER]
