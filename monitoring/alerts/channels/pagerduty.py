"""PagerDuty's Events API v2 and what speaks it: one event for each alert, under one key from trigger to resolve.

The message is delivered when all its events are. What was taken is noted, so that a next try goes on from there; a try
whose end nobody saw repeats events under the same key, which changes nothing there.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any

from monitoring.alerts.channels import http, words
from monitoring.alerts.channels.deadline import Deadline
from monitoring.alerts.channels.errors import UnansweredError
from monitoring.alerts.channels.verdicts import Outcome, Verdict, delivered, retry
from monitoring.alerts.message import FIRING, AlertLine, Message

URL = "https://events.pagerduty.com/v2/enqueue"
SEVERITIES = frozenset({"critical", "error", "warning", "info"})
SEVERITY_WORDS = {
    "page": "critical",
    "fatal": "critical",
    "high": "error",
    "warn": "warning",
    "low": "info",
    "none": "info",
}
SUMMARY_CHARACTERS = 1024


def send(message: Message, config: Mapping[str, Any], deadline: Deadline) -> Outcome:
    """An event for each alert, one after the other over one connection, until one is not taken."""
    accepted = list(message.accepted)
    events = [event for event in _events(message, config) if _name(event) not in message.accepted]
    headers = {
        "Content-Type": "application/json"
    }  # no Idempotency-Key: there are several events, each with its own key
    with http.line(str(config.get("url") or URL), deadline, config) as line:
        for event in events:
            outcome = _post(line, event, headers)
            if outcome.verdict is not Verdict.DELIVERED:
                part = f" ({len(accepted)} of {len(accepted) + len(events)} events were taken)" if accepted else ""
                return replace(outcome, answer=outcome.answer + part, accepted=tuple(accepted))
            accepted.append(_name(event))
            events = events[1:]
    return replace(delivered(f"{len(accepted)} events were taken.", 202), accepted=tuple(accepted))


def dedup_key(message: Message, alert: AlertLine) -> str:
    """One for each episode and receiver, whatever group or message it comes in."""
    return _digest(message.tenant, message.receiver, alert.fingerprint, str(alert.episode_id or message.key))


def _digest(*known: str) -> str:
    return hashlib.sha256("\x1f".join(known).encode()).hexdigest()


def _post(line: http.Line, event: Mapping[str, Any], headers: Mapping[str, str]) -> Outcome:
    try:
        return line.post(json.dumps(event, ensure_ascii=False).encode(), headers).outcome()
    except UnansweredError as error:
        return retry(str(error))


def _events(message: Message, config: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Ends first: a new episode of the same alert then finds the old one closed.

    A test is closed again at once, and so is what tells of no alert.
    """
    if not message.alerts:
        yield from _note_events(message, config)
    for alert in (*message.resolved, *message.firing):
        yield _event(message, alert, config, _action(alert))
    if message.kind == "test":
        for alert in message.firing:
            yield _event(message, alert, config, "resolve")


def _action(alert: AlertLine) -> str:
    if alert.status != FIRING:
        return "resolve"
    return "acknowledge" if alert.is_acknowledged else "trigger"


def _event(message: Message, alert: AlertLine, config: Mapping[str, Any], action: str) -> dict[str, Any]:
    event = _head(message, config, action, dedup_key(message, alert))
    if action == "trigger":
        event["payload"] = _payload(message, alert, config)
        event["links"] = _links(message, alert)
    return event


def _note_events(message: Message, config: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """An incident of the note alone, such as a code, opened and closed."""
    key = _digest(message.tenant, message.receiver, str(message.key))
    said = words.one_line(words.note(message) or words.title(message), SUMMARY_CHARACTERS)
    payload = {"summary": said, "source": message.tenant, "severity": "info"}
    yield _head(message, config, "trigger", key) | {"payload": payload}
    yield _head(message, config, "resolve", key)


def _head(message: Message, config: Mapping[str, Any], action: str, key: str) -> dict[str, Any]:
    return {
        "routing_key": str(config["routing_key"]),
        "event_action": action,
        "dedup_key": key,
        "client": http.AGENT,
        "client_url": message.external_url,
    }


def _links(message: Message, alert: AlertLine) -> list[dict[str, str]]:
    """How to acknowledge comes first: an app may show the first of them only."""
    own = [{"href": message.page.url, "text": f"Acknowledge. {words.LINK_HOLDS}"}] if message.page else []
    return own + [{"href": link, "text": link} for link in words.links(alert)]


def _payload(message: Message, alert: AlertLine, config: Mapping[str, Any]) -> dict[str, Any]:
    labels = alert.labels
    said = words.summary(alert)
    text = f"{words.name(alert)}: {said}" if said else f"{words.name(alert)} {words.labels(alert)}"
    source = next(
        (labels[key] for key in ("instance", "node", "service", "cluster") if labels.get(key)), message.tenant
    )
    return {
        "summary": words.one_line(text, SUMMARY_CHARACTERS),
        "source": source,
        "severity": _severity(alert, config),
        "timestamp": alert.starts_at.astimezone(UTC).isoformat(),
        "group": message.group_key,
        "class": words.name(alert),
        "custom_details": {
            "labels": dict(labels),
            "annotations": dict(alert.annotations),
            **({"note": note} if (note := words.note(message)) else {}),
        },
    }


def _severity(alert: AlertLine, config: Mapping[str, Any]) -> str:
    """The receiver's, else the alert's own in the four words that there are; what is unknown is an error."""
    word = str(config.get("severity") or alert.labels.get("severity", "")).lower()
    return word if word in SEVERITIES else SEVERITY_WORDS.get(word, "error")


def _name(event: Mapping[str, Any]) -> str:
    """What an event is known by among those that were taken."""
    return f"{event['event_action']}:{event['dedup_key']}"
