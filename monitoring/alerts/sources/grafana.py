"""Alerts as Grafana's webhooks bring them: those of unified alerting, and of the older dashboards' alerts."""

import re
from collections.abc import Mapping
from typing import Any

from monitoring.alerts.labels import ALERT_NAME
from monitoring.alerts.message import FIRING, RESOLVED
from monitoring.alerts.sources import fields, webhook
from monitoring.alerts.sources.alertmanager import Read, each
from monitoring.alerts.sources.fields import Clock, PostedError
from monitoring.alerts.sources.posted import Posted

_NO_NAME = re.compile(r"[^a-zA-Z0-9_]", re.ASCII)
_LINKS = {"dashboardURL": "dashboard_url", "panelURL": "panel_url", "imageURL": "image_url", "valueString": "value"}
_OLD_STATES = {"alerting": FIRING, "no_data": FIRING, "ok": RESOLVED, "paused": RESOLVED}


def read(body: bytes, now: Clock) -> Read:
    """The alerts of one webhook, and a sentence for each that is none. Other states of the old form bring none."""
    document = fields.document_of(body)
    if isinstance(document, dict) and isinstance(document.get("alerts"), list):
        return each(document["alerts"], lambda item: _alert(item, now))
    if isinstance(document, dict) and "ruleName" in document:
        items = [document] if str(document.get("state")) in _OLD_STATES else []
        return each(items, lambda item: _old_alert(item, now))
    raise PostedError("The body is no webhook of Grafana's: it has neither 'alerts' nor 'ruleName'.")


def _alert(document: Mapping[str, Any], now: Clock) -> Posted:
    """Grafana lets labels have any name; those that Prometheus cannot have get _ as Grafana's own Alertmanager does."""
    links = {name: document[key] for key, name in _LINKS.items() if document.get(key)}
    annotations = links | _named(document.get("annotations"))
    return webhook.alert({**document, "labels": _named(document.get("labels")), "annotations": annotations}, now)


def _old_alert(document: Mapping[str, Any], now: Clock) -> Posted:
    name, message = document["ruleName"], document.get("message")
    annotations = {"summary": document.get("title"), "description": message, "image_url": document.get("imageUrl")}
    return webhook.alert(
        {
            "status": _OLD_STATES[document["state"]],
            "labels": {**_named(document.get("tags")), ALERT_NAME: name},
            "annotations": {key: text for key, text in annotations.items() if text},
            "generatorURL": document.get("ruleUrl"),
        },
        now,
    )


def _named(pairs: Any) -> dict[str, Any]:
    if pairs is None:
        return {}
    if not isinstance(pairs, dict):
        raise PostedError("labels and annotations are objects of names and texts")
    return {_name(key): value for key, value in pairs.items()}


def _name(text: str) -> str:
    name = _NO_NAME.sub("_", text) or "_"
    return f"_{name}" if name[0].isdigit() else name
