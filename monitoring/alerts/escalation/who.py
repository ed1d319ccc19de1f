"""Whom each step of an escalation would page right now, and who of them cannot be reached."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fleetledger.fleet.models import Membership, User
from monitoring.alerts.escalation.ladders import Rung, rungs
from monitoring.alerts.models import ContactMethod, Escalation, Schedule
from monitoring.alerts.oncall.loading import load
from monitoring.alerts.oncall.plans import LOOK_AHEAD

MOST = 20  # people named of one step


@dataclass(frozen=True, slots=True)
class Someone:
    """A person; `is_reachable`: there is a verified way to them."""

    username: str
    name: str
    is_reachable: bool


@dataclass(frozen=True, slots=True)
class Now:
    """Whom a step would page. `left_out`: further ones; `note` says why it is nobody."""

    people: tuple[Someone, ...]
    left_out: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """What the steps name, read at once: on-call people by schedule, members by team, names by user name."""

    on_call: Mapping[str, tuple[str, ...]]
    members: Mapping[str, tuple[str, ...]]
    names: Mapping[str, str]
    reachable: frozenset[str] = field(default_factory=frozenset)

    def of(self, rung: Rung, team: str | None) -> Now | None:
        """None for a step that pages nobody by its nature."""
        if rung.kind == "person":
            return self._named([rung.target], "is not there any more")
        if rung.kind == "schedule":
            if rung.target not in self.on_call:
                return Now((), note="no such schedule")
            return self._named(self.on_call[rung.target], "nobody is on call: its fallback is paged")
        if rung.kind == "team":
            return self._named(self.members.get(rung.target, ()), "the team has no members")
        if rung.kind == "everyone":
            return self._named(self.members.get(team or "", ()), "everybody of the alert's team")
        return None

    def said(self, rung: Rung, team: str | None) -> str:
        """Tom; Mira, Ana; or what the step names, where it is nobody or many."""
        now = self.of(rung, team)
        if now is None or not now.people or now.left_out:
            return ""
        return ", ".join(one.name for one in now.people)

    def _named(self, usernames: Iterable[str], otherwise: str) -> Now:
        there = [name for name in usernames if name in self.names]
        shown = tuple(Someone(name, self.names[name], name in self.reachable) for name in there[:MOST])
        return Now(shown, max(len(there) - MOST, 0), "" if there else otherwise)


def directory(steps: Iterable[Sequence[Mapping[str, Any]]], teams: Iterable[str | None], at: datetime) -> Directory:
    """Everybody whom these steps name, in six statements at most."""
    ladder = [rung for each in steps for rung in rungs(each)]
    on_call = dict(_on_call({rung.target for rung in ladder if rung.kind == "schedule"}, at))
    slugs = {rung.target for rung in ladder if rung.kind == "team"} | {slug for slug in teams if slug}
    members = _members(slugs) if slugs else {}
    named = {rung.target for rung in ladder if rung.kind == "person"}
    wanted = named.union(*on_call.values(), *members.values())
    rows = User.objects.filter(username__in=wanted, is_active=True) if wanted else ()
    ways = ContactMethod.objects.filter(user__username__in=wanted, removed_at=None, verified_at__isnull=False)
    return Directory(
        on_call,
        members,
        {row.username: row.first_name or row.username for row in rows},
        frozenset(ways.values_list("user__username", flat=True)) if wanted else frozenset(),
    )


def directory_of(rows: Sequence[Escalation], at: datetime) -> Directory:
    return directory((row.steps for row in rows), (row.team.slug if row.team else None for row in rows), at)


def _on_call(names: Iterable[str], at: datetime) -> Iterator[tuple[str, tuple[str, ...]]]:
    schedules = list(Schedule.objects.filter(name__in=names)) if names else []
    loaded = load(schedules, at, at + LOOK_AHEAD) if schedules else None
    for schedule in schedules:
        if loaded is not None:
            now, _ = loaded.plans[schedule.pk].now_and_next(at)
            yield schedule.name, tuple(person.username for person in loaded.persons(now.people))


def _members(slugs: Iterable[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    rows = Membership.objects.filter(team__slug__in=slugs, user__is_active=True).order_by("user__username")
    for slug, username in rows.values_list("team__slug", "user__username"):
        found[slug].append(username)
    return {slug: tuple(names) for slug, names in found.items()}
