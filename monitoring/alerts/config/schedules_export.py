"""Writes `schedules` back: what applies again as no change."""

from typing import Any

from monitoring.alerts.config.order import in_order
from monitoring.alerts.config.schedule_shapes import LAYER
from monitoring.alerts.models import Schedule


def export() -> list[dict[str, Any]]:
    """Every schedule by name; what people changed in it, overrides and swaps, is no configuration."""
    return [document(row) for row in Schedule.objects.filter(removed_at=None).select_related("team").order_by("name")]


def document(row: Schedule) -> dict[str, Any]:
    item: dict[str, Any] = {"name": row.name}
    if row.team:
        item["team"] = row.team.slug
    if row.description:
        item["description"] = row.description
    item["time_zone"] = row.time_zone
    if row.fallback:
        item["fallback"] = dict(row.fallback)
    return item | {"layers": in_order(row.layers, {"items": LAYER}, {})}
