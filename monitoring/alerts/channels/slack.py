"""Slack's incoming webhook, which Mattermost and Rocket.Chat take too. It knows no key: at least once."""

import json
from collections.abc import Mapping
from typing import Any

from monitoring.alerts.channels import http, words
from monitoring.alerts.channels.deadline import Deadline
from monitoring.alerts.channels.verdicts import Outcome
from monitoring.alerts.message import AlertLine, Message

MAX_ATTACHMENTS = 20
COLOURS = {"firing": "#d92d20", "resolved": "#2e7d32"}
ACKNOWLEDGED = "#b07a00"


def send(message: Message, config: Mapping[str, Any], deadline: Deadline) -> Outcome:
    """One POST for the whole message."""
    body = json.dumps(payload(message, config), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": str(message.key)}
    return http.post(str(config["url"]), body, headers, deadline, config).outcome()


def payload(message: Message, config: Mapping[str, Any]) -> dict[str, Any]:
    """The document: a title, the note, how to acknowledge, and one attachment for each alert, at most twenty."""
    shown = (*message.firing, *message.resolved)
    text = [f"*{_escaped(words.title(message))}*", _escaped(words.note(message))]
    if message.page:
        text.append(f"{_link(message.page.url, 'Acknowledge')} {words.LINK_HOLDS}")
    if len(shown) > MAX_ATTACHMENTS:
        text.append(f"The first {MAX_ATTACHMENTS} of {len(shown)} alerts:")
    document = {
        "text": "\n".join(filter(None, text)),
        "attachments": [_attachment(alert) for alert in shown[:MAX_ATTACHMENTS]],
        "username": config.get("username") or http.AGENT,
    }
    return document | ({"channel": config["channel"]} if config.get("channel") else {})


def _attachment(alert: AlertLine) -> dict[str, Any]:
    lines = [words.summary(alert), words.labels(alert)]
    text = [_escaped(line) for line in lines if line]
    text += map(_link, words.links(alert))
    return {
        "color": ACKNOWLEDGED if alert.is_acknowledged and alert.status == "firing" else COLOURS[alert.status],
        "title": _escaped(f"{words.name(alert)} ({words.mark(alert)})"),
        "text": "\n".join(text),
        "fallback": _escaped(f"{words.name(alert)} ({words.mark(alert)}): {words.summary(alert)}"),
        "ts": int((alert.ends_at or alert.starts_at).timestamp()),
    }


def _link(address: str, text: str = "") -> str:
    known = _escaped(address.replace("|", "%7C"))
    return f"<{known}|{text}>" if text else f"<{known}>"


def _escaped(text: str) -> str:
    """Slack's three characters: what a label holds mentions nobody and links nowhere."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
