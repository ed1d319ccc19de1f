"""Applies and exports `models`. A model that the file leaves out is removed from sight; its history stays."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from drift.models import Model
from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.organisation import team_named
from fleetledger.fleet.config.plan import Plan, save
from fleetledger.fleet.config.shapes import SECRET_HINT
from fleetledger.fleet.models import Pool, Team
from fleetledger.lib.durations import DurationError, duration_text, parse_duration
from monitoring.alerts import clock

Items = Sequence[dict[str, Any]]
_DEFAULTS: dict[str, Any] = {"production": False, "importance": 3, "window": "day"}


def apply(items: Items, plan: Plan) -> None:
    """Bring models to what the file says; reports of one that it leaves out are kept."""
    stored = {row.name: row for row in Model.objects.select_related("owner")}
    named: set[str] = set()
    for index, item in enumerate(items):
        path: Path = ("models", index)
        name = item["name"]
        owner = team_named(item["owner"], (*path, "owner"), plan)
        if name in named:
            plan.refuse((*path, "name"), f"The model '{name}' stands twice.")
        elif owner is not None:
            _apply_one(item, owner, stored.get(name), path, plan)
        named.add(name)
    for name, row in stored.items():
        if name not in named and row.removed_at is None:
            Model.objects.filter(pk=row.pk).update(removed_at=clock.now())
            plan.removed("model", name, "its reports are kept")


def export() -> list[dict[str, Any]]:
    rows = Model.objects.filter(removed_at__isnull=True).select_related("owner").order_by("name")
    return [_item(row) for row in rows]


def _apply_one(item: Mapping[str, Any], owner: Team, row: Model | None, path: Path, plan: Plan) -> None:
    model = row or Model(name=item["name"], owner=owner)
    if model.removed_at is not None:
        model.removed_at = None
        model.save(update_fields=["removed_at"])
        plan.added("model", model.name, "it was removed before; its reports are here still")
    save(
        plan,
        "model",
        item["name"],
        model,
        {
            "owner": owner,
            "description": item.get("description") or "",
            "is_production": item.get("production", False),
            "importance": item.get("importance", 3),
            "pool": _pool(item.get("pool") or "", (*path, "pool"), plan),
            "retrain_match": item.get("retrain_match", {}),
            "retrain_webhook": _webhook(item.get("retrain_webhook"), (*path, "retrain_webhook"), plan),
            "expected_every_s": _seconds(item.get("expected_every"), (*path, "expected_every"), plan),
            "window_grain": item.get("window", "day"),
            "watch": _watch(item.get("watch") or "", (*path, "watch"), plan),
            "settings": item.get("settings", {}),
            "data": _data(item.get("data", {}), (*path, "data"), plan),
        },
    )


def _pool(name: str, path: Path, plan: Plan) -> str:
    known = list(Pool.objects.values_list("name", flat=True))
    if name and name not in known:
        fix = f"Known: {', '.join(known[:20])}." if known else "Add it under 'pools'."
        plan.refuse(path, f"No pool is called '{name}'. {fix}")
    return name


def _watch(wanted: str, path: Path, plan: Plan) -> str:
    """An address with credentials in it is refused: the file never holds a secret."""
    if "://" in wanted and ("@" in urlsplit(wanted).netloc or "secret_key" in wanted or "access_key" in wanted):
        plan.refuse(
            path, "The address holds credentials. Give them to the workers' environment, as the store reads them."
        )
    return wanted


def _webhook(wanted: str | Mapping[str, Any] | None, path: Path, plan: Plan) -> dict[str, Any]:
    if wanted is None:
        return {}
    asked: dict[str, Any] = {"url": wanted} if isinstance(wanted, str) else dict(wanted)
    if isinstance(asked["url"], str):
        _check_url(asked["url"], path, plan)
    return asked


def _check_url(url: str, path: Path, plan: Plan) -> None:
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        plan.refuse(path, f"'{url[:80]}' is no address. Write http://HOST:PORT/PATH.")
    elif parts.username is not None or parts.password is not None:
        plan.refuse(path, f"The address holds a password. {SECRET_HINT}")


def _seconds(text: str | None, path: Path, plan: Plan) -> int | None:
    if text is None:
        return None
    try:
        span = parse_duration(text)
    except DurationError as error:
        plan.refuse(path, str(error))
        return None
    if span < timedelta(minutes=1):
        plan.refuse(path, "Reports are awaited a minute apart at least. Write 1m or more.")
    return int(span.total_seconds())


def _data(wanted: Mapping[str, Any], path: Path, plan: Plan) -> dict[str, Any]:
    if (zone := wanted.get("zone")) is not None and zone not in available_timezones():
        plan.refuse((*path, "zone"), f"No time zone is called '{zone[:80]}'. Write one such as Europe/Berlin.")
    if wanted.get("season", "none") != "none" and not wanted.get("time"):
        plan.refuse((*path, "season"), "Name the column with the instant of each row under 'time'.")
    if wanted.get("score") and wanted.get("positive") is None:
        plan.refuse((*path, "score"), "Say under 'positive' which class the score is the chance of.")
    if (lateness := wanted.get("lateness")) is not None:
        try:
            parse_duration(lateness)
        except DurationError as error:
            plan.refuse((*path, "lateness"), str(error))
    return dict(wanted)


def _item(row: Model) -> dict[str, Any]:
    """The model as the file says it: what has its default is left out."""
    every = duration_text(timedelta(seconds=row.expected_every_s)) if row.expected_every_s else None
    webhook = row.retrain_webhook
    item = {
        "name": row.name,
        "owner": row.owner.slug,
        "description": row.description,
        "production": row.is_production,
        "importance": row.importance,
        "pool": row.pool,
        "retrain_match": row.retrain_match,
        "retrain_webhook": webhook["url"] if set(webhook) == {"url"} and isinstance(webhook["url"], str) else webhook,
        "expected_every": every,
        "window": row.window_grain,
        "watch": row.watch,
        "settings": row.settings,
        "data": row.data,
    }
    return {key: value for key, value in item.items() if value not in (None, "", {}, _DEFAULTS.get(key))}
