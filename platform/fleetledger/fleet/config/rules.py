"""Applies and exports `ownership` (replaced as a list) and `pools`."""

from collections.abc import Sequence
from datetime import date
from difflib import SequenceMatcher
from typing import Any

from fleetledger.fleet import ownership, signals
from fleetledger.fleet.config import notes
from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.organisation import team_named
from fleetledger.fleet.config.plan import Plan, save
from fleetledger.fleet.models import IdlePolicy, OwnershipRule, Pool, SharePolicy
from fleetledger.fleet.patterns import PatternError, compiled

Items = Sequence[dict[str, Any]]


def apply_ownership(items: Items, plan: Plan) -> None:
    """The rules become those of the file, in its order; what is gone is removed. Facts follow after commit."""
    before = list(OwnershipRule.objects.select_related("team"))
    old = [ownership.Rule.of(row) for row in before]
    wanted = [rule for index, item in enumerate(items) if (rule := _row(index, item, plan)) is not None]
    if plan.issues:
        return
    matcher = SequenceMatcher(a=[_words(row) for row in before], b=[_words(row) for row in wanted], autojunk=False)
    kept: dict[int, OwnershipRule] = {}
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            kept |= dict(zip(range(j1, j2), before[i1:i2], strict=True))
            continue
        for row in before[i1:i2]:
            plan.removed("ownership rule", _words(row))
            row.delete()
        for row in wanted[j1:j2]:
            plan.added("ownership rule", _words(row))
            row.save()
    for position, row in kept.items():
        if row.position != position:
            OwnershipRule.objects.filter(pk=row.pk).update(position=position)
    _announce(old, [ownership.Rule.of(row) for row in wanted], plan)


def export_ownership() -> list[dict[str, Any]]:
    found = []
    for row in OwnershipRule.objects.select_related("team"):
        item: dict[str, Any] = {"team": row.team.slug}
        if row.valid_from:
            item["from"] = row.valid_from
        if row.valid_until:
            item["until"] = row.valid_until
        found.append(item | {"match": row.match})
    return found


def apply_pools(items: Items, plan: Plan) -> None:
    """Pools stand in the file's order; those that it does not name come after them."""
    stored = {row.name: row for row in Pool.objects.select_related("owner")}
    before = _pool_matches()
    seen: list[str] = []
    for index, item in enumerate(items):
        path: Path = ("pools", index)
        name = item["name"]
        if name in seen:
            plan.refuse((*path, "name"), f"The pool '{name}' stands twice.")
            continue
        seen.append(name)
        _check_patterns(item["match"], (*path, "match"), plan)
        owner = team_named(item["owner"], (*path, "owner"), plan) if item.get("owner") else None
        idle = item.get("idle", IdlePolicy.KEEP)
        if idle == IdlePolicy.OWNER and not item.get("owner"):
            plan.refuse((*path, "idle"), "'idle: owner' needs to know whose the pool is. Add 'owner: TEAM'.")
            continue
        share = item.get("share", SharePolicy.SLICES)
        values = {"match": item["match"], "idle": idle, "share": share, "owner": owner}
        row = stored.get(name) or Pool(name=name, position=index)
        save(plan, "pool", name, row, values)
    _order([*seen, *(name for name in stored if name not in seen)], plan)
    notes.kept(plan, "pools", set(stored) - set(seen))
    uses_pools = OwnershipRule.objects.filter(match__has_key="pool").exists()
    if uses_pools and _pool_matches() != before:
        plan.note("Pools changed and rules ask for them: facts are rebuilt from the first day.")
        signals.announce_ownership_change(None)


def export_pools() -> list[dict[str, Any]]:
    found = []
    for row in Pool.objects.select_related("owner"):
        item: dict[str, Any] = {"name": row.name, "match": row.match, "idle": row.idle, "share": row.share}
        found.append(item | ({"owner": row.owner.slug} if row.owner else {}))
    return found


def _row(index: int, item: dict[str, Any], plan: Plan) -> OwnershipRule | None:
    path: Path = ("ownership", index)
    match = item["match"]
    _check_patterns({key: value for key, value in match.items() if key != "tags"}, (*path, "match"), plan)
    start, end = (_day(item.get(key), (*path, key), plan) for key in ("from", "until"))
    if start and end and end <= start:
        plan.refuse((*path, "until"), f"'until' comes after 'from' ({start}); a rule holds up to that day, without it.")
    team = team_named(item["team"], (*path, "team"), plan)
    if team is None:
        return None
    return OwnershipRule(position=index, team=team, valid_from=start, valid_until=end, match=match)


def _check_patterns(match: dict[str, str], path: Path, plan: Plan) -> None:
    for key, pattern in match.items():
        try:
            compiled(pattern)
        except PatternError as error:
            plan.refuse((*path, key), str(error))


def _day(text: str | None, path: Path, plan: Plan) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        plan.refuse(path, f"'{text}' is no day. Write it as 2026-01-01.")
        return None


def _announce(old: Sequence[ownership.Rule], new: Sequence[ownership.Rule], plan: Plan) -> None:
    change = ownership.change_between(old, new)
    if change is not None:
        since = f"{change.from_day} on" if change.from_day else "the first day on"
        plan.note(f"Who owns what changes from {since}: facts from there are rebuilt.")
        signals.announce_ownership_change(change.from_day)


def _words(row: OwnershipRule) -> str:
    """A rule as one line, the same for the same rule."""
    match = " ".join(f"{key}={_match_words(row.match[key])}" for key in sorted(row.match))
    start = f" from {row.valid_from}" if row.valid_from else ""
    end = f" until {row.valid_until}" if row.valid_until else ""
    return f"{row.team.slug}{start}{end}: {match}"


def _match_words(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {value[key]}" for key in sorted(value)) + "}"
    return str(value)


def _pool_matches() -> list[tuple[str, dict[str, str]]]:
    return [(row.name, row.match) for row in Pool.objects.all()]


def _order(names: Sequence[str], plan: Plan) -> None:
    """The order decides which pool has a GPU that several fit."""
    moved = False
    stored = {row.name: row for row in Pool.objects.all()}
    before = [name for name in stored if name in names]
    for position, name in enumerate(names):
        if name in stored and stored[name].position != position:
            Pool.objects.filter(pk=stored[name].pk).update(position=position)
            moved = True
    if moved and before != [name for name in names if name in stored]:
        plan.changed("pools", "order", ", ".join(names))
