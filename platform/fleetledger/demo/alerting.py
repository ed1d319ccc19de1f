"""What the simulated fleet's own Prometheus would send as alerts at an instant, by Alertmanager's API."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from fleetledger.demo.inventory import Node
from fleetledger.demo.world import World

XID_KEPT_S = 24 * 3600  # a GPU that reported an error is looked at within a day
GONE_AFTER_S = 120
HOLD = timedelta(minutes=4)  # endsAt, as Prometheus sets it for a resend delay of a minute
_FATAL = frozenset({48, 79})
_DEGRADED = frozenset({63, 94})
_GENERATOR = "http://prometheus.{cluster}.example/alerts"


def firing(world: World, at: datetime) -> list[dict[str, Any]]:
    """Alerts as `POST /api/v2/alerts` takes them, also those that ended within the last quarter of an hour."""
    now = int(at.timestamp())
    found: list[dict[str, Any]] = []
    for cluster in world.clusters:
        found.append(_alert("Watchdog", {"cluster": cluster.name, "severity": "none"}, at, None, _WATCHDOG))
        for node in cluster.nodes:
            found += _xids(world, node, now)
            found += _gone(world, node, now)
    return [alert | {"endsAt": alert["endsAt"] or (at + HOLD).isoformat()} for alert in found]


_WATCHDOG = {"summary": "Alerts of this cluster reach us: this one fires always."}


def _xids(world: World, node: Node, now: int) -> Iterator[dict[str, Any]]:
    """Error codes of the last day, each until the day is over."""
    for gpu, events in enumerate(world.block(node, now).weather.xids):
        for moment, code in events:
            if not now - XID_KEPT_S - 900 < moment <= now:
                continue
            name, severity = _named(code)
            labels = _labels(node, severity) | {"gpu": str(gpu), "UUID": node.uuid(gpu), "xid": str(code)}
            ended = _instant(moment + XID_KEPT_S) if moment + XID_KEPT_S <= now else None
            words = {
                "summary": f"XID {code}: GPU {gpu} of {node.name}",
                "description": f"GPU {gpu} of {node.name} ({node.board.model}) reported XID {code}.",
                "runbook_url": f"/help/runbooks/#{name}",
            }
            yield _alert(name, labels, _instant(moment), ended, words)


def _gone(world: World, node: Node, now: int) -> Iterator[dict[str, Any]]:
    """Nodes of which nothing is heard, for longer than two minutes."""
    for silence in world.silences(node, now - 900, now + 1):
        fired = silence.start + GONE_AFTER_S
        if not fired <= now or silence.end <= fired:
            continue
        ended = _instant(silence.end) if silence.end <= now else None
        since = f"{_instant(silence.start):%H:%M} UTC"
        words = {
            "summary": f"Nothing is heard of the GPUs of {node.name}",
            "description": f"dcgm-exporter on {node.name} has answered no scrape since {since}.",
            "runbook_url": "/help/runbooks/#GpuExporterGone",
        }
        yield _alert("GpuExporterGone", _labels(node, "critical"), _instant(fired), ended, words)


def _named(code: int) -> tuple[str, str]:
    if code in _FATAL:
        return "GpuXidFatal", "critical"
    return ("GpuXidDegraded", "warning") if code in _DEGRADED else ("GpuXidApplication", "info")


def _labels(node: Node, severity: str) -> dict[str, str]:
    return {"cluster": node.cluster, "Hostname": node.name, "modelName": node.board.model, "severity": severity}


def _alert(
    name: str, labels: dict[str, str], start: datetime, end: datetime | None, annotations: dict[str, str]
) -> dict[str, Any]:
    return {
        "labels": {"alertname": name, **labels},
        "annotations": annotations,
        "startsAt": start.isoformat(),
        "endsAt": end.isoformat() if end else "",
        "generatorURL": _GENERATOR.format(cluster=labels["cluster"]),
    }


def _instant(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
