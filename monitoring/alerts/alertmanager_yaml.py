"""A tenant's tree as Alertmanager's own configuration file, with secrets redacted: for `amtool`, not for running."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import yaml

from monitoring.alerts import routing
from monitoring.alerts.matchers import Matcher, to_text
from monitoring.alerts.trees import TreeView

Document = Mapping[str, Any]
SECRET = "<secret>"  # noqa: S105 Alertmanager's own word for one that it does not show
SECRET_URL = "https://<secret>/"  # noqa: S105 a webhook's address must be one that Alertmanager can read
DEFAULT_SMARTHOST = "default:25"  # ours stands in the settings; Alertmanager insists on one here
DEFAULT_SENDER = "fleetledger"
_TAKEN_OVER = (
    "receiver",
    "group_by",
    "group_wait",
    "group_interval",
    "repeat_interval",
    "continue",
    "mute_time_intervals",
    "active_time_intervals",
)


def original(tree: TreeView) -> str:
    """What GET /status gives as `config.original`; amtool checks, shows and tests routes with it."""
    document = {
        "route": _route(tree.document.route),
        "inhibit_rules": [_inhibit_rule(rule) for rule in tree.document.inhibit_rules],
        "receivers": [_receiver(receiver) for receiver in tree.document.receivers],
        "time_intervals": [_interval(interval) for interval in tree.document.time_intervals],
    }
    shown = {key: value for key, value in document.items() if value}
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=110)


def _route(route: Document) -> dict[str, Any]:
    found = {key: route[key] for key in _TAKEN_OVER if key in route}
    matchers = routing.matchers_of(route)
    if matchers:
        found["matchers"] = _texts(matchers)
    if route.get("routes"):
        found["routes"] = [_route(child) for child in route["routes"]]
    return found


def _inhibit_rule(rule: Document) -> dict[str, Any]:
    """Alertmanager knows no `strict`."""
    found: dict[str, Any] = {
        "source_matchers": _texts(routing.matchers_of(rule, "source_")),
        "target_matchers": _texts(routing.matchers_of(rule, "target_")),
    }
    return found | ({"equal": list(rule["equal"])} if rule.get("equal") else {})


def _interval(interval: Document) -> dict[str, Any]:
    """Ranges are texts to Alertmanager, also of one year."""
    return {"name": interval["name"], "time_intervals": [_entry(entry) for entry in interval["time_intervals"]]}


def _entry(entry: Document) -> dict[str, Any]:
    ranges = ("weekdays", "days_of_month", "months", "years")
    return {key: list(map(str, value)) if key in ranges else value for key, value in entry.items()}


def _receiver(receiver: Document) -> dict[str, Any]:
    """Alertmanager has nothing for apprise, so it is left out."""
    found: dict[str, Any] = {"name": receiver["name"]}
    for kind, written in _WRITTEN.items():
        entries = [written(entry) | dict(_common(entry)) for entry in receiver.get(kind, ())]
        if entries:
            found[f"{kind}_configs"] = entries
    return found


def _common(entry: Document) -> Iterator[tuple[str, Any]]:
    if "send_resolved" in entry:
        yield "send_resolved", entry["send_resolved"]


def _webhook(entry: Document) -> dict[str, Any]:
    return {"url": _address(entry["url"])} | ({"max_alerts": entry["max_alerts"]} if "max_alerts" in entry else {})


def _address(url: Any) -> str:
    """Where a webhook goes, without what may be its secret: paths and queries often are."""
    if not isinstance(url, str):
        return SECRET_URL
    parts = urlsplit(url)
    is_plain = parts.path in ("", "/") and not parts.query
    return f"{parts.scheme}://{parts.netloc}/{'' if is_plain else SECRET}"


def _email(entry: Document) -> dict[str, Any]:
    to = entry["to"] if isinstance(entry["to"], str) else ", ".join(entry["to"])
    found = {
        "to": to,
        "from": entry.get("from", DEFAULT_SENDER),
        "smarthost": entry.get("smarthost", DEFAULT_SMARTHOST),
    }
    found |= {key: entry[key] for key in ("auth_username", "require_tls") if key in entry}
    return found | ({"auth_password": SECRET} if "auth_password" in entry else {})


def _slack(entry: Document) -> dict[str, Any]:
    return {"api_url": SECRET} | {key: entry[key] for key in ("channel", "username") if key in entry}


def _pagerduty(entry: Document) -> dict[str, Any]:
    return {"routing_key": SECRET} | {key: entry[key] for key in ("url", "severity") if key in entry}


_WRITTEN = {"webhook": _webhook, "email": _email, "slack": _slack, "pagerduty": _pagerduty}


def _texts(matchers: Iterable[Matcher]) -> list[str]:
    return list(map(to_text, matchers))
