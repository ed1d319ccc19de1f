"""What is wrong with a schedule that the schema cannot see: people, zones, receivers, and layers that mean nothing."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.shapes import SECRET_HINT
from fleetledger.fleet.models import Team, User
from monitoring.alerts import trees
from monitoring.alerts.config.receiver_checks import http_address
from monitoring.alerts.config.route_checks import Problem, unknown_receiver
from monitoring.alerts.oncall.documents import ICAL, DocumentError, rotation, zone_named
from monitoring.alerts.oncall.ical_in import CalendarError, parse
from monitoring.alerts.oncall.loading import named

Document = Mapping[str, Any]
ROTATION_KEYS = ("people", "every", "start")
ONLY_ROTATION = ("every", "start", "until", "active")
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Known:
    """Who exists: the user names of the ones named, everybody's for a hint, and the teams' slugs."""

    users: frozenset[str]
    teams: frozenset[str]

    @classmethod
    def read(cls) -> "Known":
        users = User.objects.values_list("username", flat=True)
        return cls(frozenset(users), frozenset(Team.objects.values_list("slug", flat=True)))


def of_schedule(item: Document, team_id: int | None, path: Path, known: Known) -> Iterator[Problem]:
    try:
        zone = zone_named(item["time_zone"])
    except DocumentError as error:
        yield (*path, "time_zone"), str(error)
        zone = zone_named("UTC")
    yield from _fallback(item.get("fallback") or {}, team_id, (*path, "fallback"), known)
    names: set[str] = set()
    for index, layer in enumerate(item["layers"]):
        at: Path = (*path, "layers", index)
        if layer["name"] in names:
            yield (*at, "name"), f"The layer '{layer['name']}' stands twice. Give one another name."
        names.add(layer["name"])
        yield from _form(layer, at)
        yield from _people(layer, at, known)
        try:
            if ICAL not in layer and not any(_form(layer, at)):
                rotation(layer, zone)
            elif layer.get("time_zone"):
                zone_named(layer["time_zone"])
        except DocumentError as error:
            yield (*at, *error.key), str(error)


def unknown_person(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1)
    meant = f" Did you mean '{close[0]}'?" if close else ""
    return f"No user is called '{name}'.{meant} Make one with: fleetledger user create {name}"


def _form(layer: Document, path: Path) -> Iterator[Problem]:
    """A layer is a rotation or a calendar, never both."""
    people = layer.get("people", [])
    if ICAL in layer:
        for key in ONLY_ROTATION:
            if key in layer:
                yield (*path, key), f"'{key}' has no meaning beside '{ICAL}'. Take it out."
        if not isinstance(people, Mapping) and people:
            yield (*path, "people"), "Beside 'ical' these are {SUMMARY OR MAIL: NAME}."
        yield from _calendar(layer[ICAL], (*path, ICAL))
        return
    for key in ROTATION_KEYS:
        if key not in layer:
            yield path, f"'{key}' is missing. A layer has people, every and start, or ical."
    if isinstance(people, Mapping):
        yield (*path, "people"), "A rotation's people are a list, as in [mira, tom]."


def _calendar(ical: Document, path: Path) -> Iterator[Problem]:
    if "text" in ical:
        try:
            parse(ical["text"])
        except CalendarError as error:
            yield (*path, "text"), str(error)
    url = ical.get("url")
    sentence = http_address(url) if isinstance(url, str) else ""
    if not sentence and isinstance(url, str) and "/private-" in url:
        sentence = f"This address holds a secret. {SECRET_HINT}"  # Google's
    if sentence:
        yield (*path, "url"), sentence


def _people(layer: Document, path: Path, known: Known) -> Iterator[Problem]:
    for name in dict.fromkeys(named(layer)):
        if name not in known.users:
            yield (*path, "people"), unknown_person(name, known.users)


def _fallback(fallback: Document, team_id: int | None, path: Path, known: Known) -> Iterator[Problem]:
    if "person" in fallback and fallback["person"] not in known.users:
        yield (*path, "person"), unknown_person(fallback["person"], known.users)
    if "team" in fallback and fallback["team"] not in known.teams:
        shown = ", ".join(sorted(known.teams)[:SHOWN])
        yield (*path, "team"), f"No team is called '{fallback['team']}'. Known: {shown}."
    if "receiver" in fallback:
        receivers: Sequence[str] = trees.tree_for(team_id).receivers
        if fallback["receiver"] not in receivers:
            yield (*path, "receiver"), unknown_receiver(fallback["receiver"], receivers)
