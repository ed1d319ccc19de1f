"""Sloth's prometheus/v1, as a file or as its Kubernetes resource."""

from collections.abc import Iterator
from typing import Any

from monitoring.availability.slo.moving_in.entry import LeftOutError, Taken, amount, entry, percentage, service, texts
from monitoring.availability.slo.moving_in.parts import Part

VERSION = "prometheus/v1"
API_VERSION = "sloth.slok.dev/v1"
ALERT_NAME = "The alert is called SloBurnRate here; its label 'slo' tells which."
BY_SEVERITY = "Pages are critical and tickets are warning here: route by these, or add labels to both."
HALF = "Pages and tickets are switched off together here: 'alerting: false'."
NO_COUNTS = "A ratio has no counts, and without them nobody knows how much it stands for. Write both queries."
PLUGIN = "Plugins are Go programs. Write the queries that this one makes."


def is_sloth(root: Part) -> bool:
    return bool(root.at("version").value == VERSION or root.at("apiVersion").value == API_VERSION)


def slos(root: Part, taken: Taken) -> Iterator[dict[str, Any]]:
    """The entries of one document."""
    body = root.at("spec") if root.at("apiVersion") else root
    for key in ("version", "apiVersion", "kind"):
        root.text(key)
    root.leave("Kubernetes' own; only the objectives are taken over.", "metadata")
    for key in ("sli_plugins", "sliPlugins", "slo_plugins", "sloPlugins"):
        body.leave(PLUGIN, key)
    of_all = texts(body, "labels", are_labels=True)
    of = body.text("service")
    for part in body.each("slos"):
        try:
            yield _slo(part, of, of_all, taken)
        except LeftOutError as error:
            part.give_up(f"This objective is left out. {error}")


def _slo(part: Part, of: str, of_all: dict[str, str], taken: Taken) -> dict[str, Any]:
    name = part.text("name")
    objective = percentage(part.text("objective"), is_share=False)
    amounts = _amounts(part.at("sli"), taken)
    keys, labels = service(taken, of)
    alerting = part.at("alerting")
    labels |= of_all | texts(part, "labels", are_labels=True) | texts(alerting, "labels", are_labels=True)
    for key in ("plugins", "slo_plugins", "sloPlugins"):
        part.leave(PLUGIN, key)
    found = entry(taken, taken.named(of, name), "", part.text("description"))
    found |= keys | {"objective": objective} | amounts | _alerting(alerting)
    found |= {"labels": labels} if labels else {}
    annotations = texts(alerting, "annotations", are_labels=False)
    return found | ({"annotations": annotations} if annotations else {})


def _amounts(sli: Part, taken: Taken) -> dict[str, str]:
    events = sli.at("events")
    if not events:
        raise LeftOutError(PLUGIN if sli.at("plugin") else NO_COUNTS)
    bad, whole = events.first("error_query", "errorQuery"), events.first("total_query", "totalQuery")
    if not bad or not whole:
        raise LeftOutError("Both queries are needed, for errors and for all events.")
    return {"bad": amount(events, bad, taken), "total": amount(events, whole, taken)}


def _alerting(part: Part) -> dict[str, bool]:
    part.leave(ALERT_NAME, "name")
    off = []
    for old, new in (("page_alert", "pageAlert"), ("ticket_alert", "ticketAlert")):
        alert = part.at(old) or part.at(new)
        alert.leave(BY_SEVERITY, "labels")
        alert.leave(BY_SEVERITY, "annotations")
        off.append(alert.text("disable").lower() == "true")
        if off[-1]:
            off_part = alert
    if any(off) and not all(off):
        off_part.at("disable").give_up(HALF)
    return {"alerting": False} if all(off) else {}
