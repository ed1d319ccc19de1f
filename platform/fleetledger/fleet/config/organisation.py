"""Applies and exports `teams`: the tree, and who belongs to it."""

from collections.abc import Mapping, Sequence
from typing import Any

from fleetledger.fleet import users
from fleetledger.fleet.config import notes
from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.plan import Plan, save
from fleetledger.fleet.errors import FleetError
from fleetledger.fleet.models import Membership, Role, Team

Items = Sequence[dict[str, Any]]
RESERVED = frozenset(
    {"all", "api", "idle", "new", "none", "shared", "static", "total", "unallocated", "unknown", "unowned"}
)


def apply_teams(items: Items, plan: Plan) -> None:
    """Teams, then parents (which may stand later in the file), then members."""
    stored = {row.slug: row for row in Team.objects.all()}
    named = _named(items, plan)
    parents = {slug: row.parent.slug if row.parent else None for slug, row in _with_parents().items()}
    parents |= {slug: item["parent"] for slug, (_, item) in named.items() if "parent" in item}
    for slug, (index, item) in named.items():
        row = stored.get(slug) or Team(slug=slug, name=item.get("name") or slug)
        values: dict[str, Any] = {key: item[key] or "" for key in ("name", "cost_center") if key in item}
        save(plan, "team", slug, row, values)
        stored[slug] = row
        _check_parent(slug, ("teams", index, "parent"), parents, {**stored, **dict.fromkeys(named)}, plan)
    if not plan.issues:
        for slug, (index, item) in named.items():
            _place(stored, slug, item, plan)
            _apply_members(stored[slug], item.get("members"), ("teams", index, "members"), plan)
    notes.kept(plan, "teams", set(stored) - set(named))


def export_teams() -> list[dict[str, Any]]:
    found = []
    for row in Team.objects.select_related("parent").prefetch_related("memberships__user").order_by("slug"):
        members = sorted((entry.user.username, entry.role) for entry in row.memberships.all())
        item: dict[str, Any] = {"slug": row.slug, "name": row.name}
        if row.cost_center:
            item["cost_center"] = row.cost_center
        if row.parent:
            item["parent"] = row.parent.slug
        if members:
            item["members"] = [{"user": user, "role": role} for user, role in members]
        found.append(item)
    return found


def team_named(slug: str, path: Path, plan: Plan) -> Team | None:
    """The team, or None after noting that there is none."""
    row = Team.objects.filter(slug=slug).first()
    if row is None:
        known = ", ".join(Team.objects.order_by("slug").values_list("slug", flat=True)[:20])
        plan.refuse(path, f"No team is called '{slug}'. " + (f"Known: {known}." if known else "Add it under 'teams'."))
    return row


def _named(items: Items, plan: Plan) -> dict[str, tuple[int, dict[str, Any]]]:
    named: dict[str, tuple[int, dict[str, Any]]] = {}
    for index, item in enumerate(items):
        slug = item["slug"]
        if slug in named:
            plan.refuse(("teams", index, "slug"), f"The team '{slug}' stands twice.")
        elif slug in RESERVED:
            plan.refuse(("teams", index, "slug"), f"'{slug}' is a reserved word. Call the team something else.")
        else:
            named[slug] = (index, item)
    return named


def _with_parents() -> dict[str, Team]:
    return {row.slug: row for row in Team.objects.select_related("parent")}


def _check_parent(
    slug: str, path: Path, parents: Mapping[str, str | None], known: Mapping[str, Any], plan: Plan
) -> None:
    parent = parents.get(slug)
    if parent is not None and parent not in known:
        plan.refuse(path, f"No team is called '{parent}'. Known: {', '.join(sorted(known)[:20])}.")
        return
    line = [slug]
    while parent is not None:
        line.append(parent)
        if parent in line[:-1]:
            if parent == slug:
                plan.refuse(path, f"A team cannot stand below itself: {' -> '.join(line)}.")
            return
        parent = parents.get(parent)


def _place(stored: Mapping[str, Team], slug: str, item: Mapping[str, Any], plan: Plan) -> None:
    if "parent" not in item:
        return
    row = stored[slug]
    parent = stored[item["parent"]] if item["parent"] else None
    before = Team.objects.get(pk=row.pk).parent
    if before != parent:
        row.parent = parent
        row.save(update_fields=["parent"])
        plan.changed("team", slug, f"parent {before.slug if before else 'none'} -> {parent.slug if parent else 'none'}")


def _apply_members(team: Team, wanted: Sequence[Mapping[str, Any]] | None, path: Path, plan: Plan) -> None:
    """Where the file names members, they are those and no others."""
    if wanted is None:
        return
    seen: set[str] = set()
    for index, entry in enumerate(wanted):
        username = _take_in(team, entry, (*path, index, "user"), plan)
        if username in seen:
            plan.refuse((*path, index, "user"), f"'{username}' stands twice in the team '{team.slug}'.")
        seen.add(username)
    for membership in Membership.objects.filter(team=team).select_related("user"):
        if membership.user.username not in seen:
            membership.delete()
            plan.removed("member", f"{team.slug}/{membership.user.username}")


def _take_in(team: Team, entry: Mapping[str, Any], path: Path, plan: Plan) -> str:
    try:
        user, is_new = users.ensure(entry["user"])
    except FleetError as error:
        plan.refuse(path, str(error))
        return str(entry["user"])
    if is_new:
        plan.added("user", user.username, f"no password yet; run: fleetledger user create {user.username}")
    membership = Membership.objects.filter(team=team, user=user).first() or Membership(team=team, user=user)
    role = entry.get("role") or (membership.role if membership.pk else Role.VIEWER)
    save(plan, "member", f"{team.slug}/{user.username}", membership, {"role": role})
    return user.username
