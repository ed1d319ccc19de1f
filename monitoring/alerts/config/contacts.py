"""Applies and exports `contacts`: the methods that the file names are what it says; others, and other people's, stay.

What a person typed as a secret is sealed and never exported: such a method stands in no file, and applying one leaves
it alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fleetledger.fleet.config import notes
from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.plan import Plan
from fleetledger.fleet.models import User
from fleetledger.lib.durations import duration_text
from monitoring.alerts import clock
from monitoring.alerts.config import receiver_checks
from monitoring.alerts.contacts import bodies, methods, preferences, reads
from monitoring.alerts.contacts.entries import KEYS, Entry, entry
from monitoring.alerts.contacts.errors import ContactError
from monitoring.alerts.contacts.preferences import Rule
from monitoring.alerts.errors import AlertsError
from monitoring.alerts.models import ContactMethod, Destination, PersonalRule, QuietHours
from monitoring.alerts.oncall.documents import DAYS

Items = Sequence[dict[str, Any]]
SECTION = "contacts"
VOUCHED_BY = "the configuration"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A method as the file has it; `is_vouched`: whoever applies it vouches that it is right."""

    name: str
    entry: Entry
    is_vouched: bool


def apply(items: Items, plan: Plan) -> None:
    """Bring the people that the file names to what it says about them."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        path: Path = (SECTION, index)
        person = User.objects.filter(username=item["user"]).first()
        if item["user"] in seen:
            plan.refuse((*path, "user"), f"'{item['user']}' stands twice. Put all of it into one entry.")
        elif person is None:
            plan.refuse((*path, "user"), f"Nobody is called '{item['user']}'. Make the user, or name it in a team.")
        else:
            _bring(person, item, path, plan)
        seen.add(item["user"])


def export() -> list[dict[str, Any]]:
    """Everybody of whom there is something to write, by user name."""
    people = User.objects.filter(contact_methods__removed_at=None, contact_methods__isnull=False)
    wanted = people | User.objects.filter(quiet_hours__isnull=False)
    return [
        found for person in wanted.distinct().order_by("username") if (found := document(person)).keys() != {"user"}
    ]


def document(person: User) -> dict[str, Any]:
    item: dict[str, Any] = {"user": person.username}
    rows = methods.live(person)
    if written := [_written(row) for row in rows if _may_stand(row)]:
        item["methods"] = written
    known = reads.settings_of(person, clock.now())
    if known.has_own_rules and all(_may_stand(row) for row in rows):
        item["rules"] = [_rule(rule) for rule in known.rules]
    if known.quiet:
        hours = known.quiet
        item["quiet_hours"] = {"from": f"{hours.from_time:%H:%M}", "until": f"{hours.until_time:%H:%M}"}
        item["quiet_hours"]["days"] = [DAYS[day] for day in hours.days]
    return item


def _written(row: ContactMethod) -> dict[str, Any]:
    written: dict[str, Any] = {
        "name": row.label,
        row.kind: {key: row.config[key] for key in KEYS[row.kind] if key in row.config},
    }
    return written | ({"verified": True} if row.vouched_by == VOUCHED_BY else {})


def _rule(rule: reads.Rule) -> dict[str, str]:
    after = {"after": duration_text(timedelta(seconds=rule.after_s))} if rule.after_s else {}
    return {"method": rule.label, **after}


def _may_stand(row: ContactMethod) -> bool:
    return not any(isinstance(value, Mapping) and "sealed" in value for value in row.config.values())


def _bring(person: User, item: Mapping[str, Any], path: Path, plan: Plan) -> None:
    issues = len(plan.issues)
    wanted = list(_entries(item.get("methods", ()), path, plan))
    if len(plan.issues) > issues:
        return
    try:
        if "methods" in item:
            _bring_methods(person, wanted, plan)
        if "rules" in item:
            _bring_rules(person, item["rules"] or (), path, plan)
        if "quiet_hours" in item:
            _bring_quiet(person, item["quiet_hours"], plan)
    except AlertsError as error:
        plan.refuse(path, str(error))


def _entries(items: Items, path: Path, plan: Plan) -> Iterator[_Wanted]:
    names: set[str] = set()
    for number, item in enumerate(items):
        at = (*path, "methods", number)
        kinds = [kind for kind in KEYS if kind in item]
        if len(kinds) != 1:
            plan.refuse(at, f"A contact method is one of {', '.join(sorted(KEYS))}. Give exactly one of them.")
            continue
        if item["name"] in names:
            plan.refuse((*at, "name"), f"The contact method '{item['name']}' stands twice. Give one another name.")
        names.add(item["name"])
        problems = list(receiver_checks.of_entry(kinds[0], item[kinds[0]], (*at, kinds[0])))
        for where, sentence in problems:
            plan.refuse(where, sentence)
        if problems:
            continue
        try:
            yield _Wanted(item["name"], _entry(kinds[0], item[kinds[0]]), bool(item.get("verified")))
        except ContactError as error:
            plan.refuse((*at, kinds[0], *([error.key] if error.key else ())), str(error))


def _entry(kind: str, given: Mapping[str, Any]) -> Entry:
    """What stands in the file in the clear is no secret, so that it is not sealed and can be exported."""
    made = entry(kind, given, may_refer=True)
    return Entry(made.kind, {key: given[key] for key in KEYS[kind] if given.get(key) not in (None, "")}, made.shown)


def _bring_methods(person: User, wanted: Sequence[_Wanted], plan: Plan) -> None:
    stored = {row.label: row for row in methods.live(person)}
    order = [_bring_method(person, stored.get(one.name), one, plan).pk for one in wanted]
    rows = methods.live(person)
    if order != [row.pk for row in rows if row.pk in set(order)]:
        methods.place(rows, order)
        plan.changed("contact methods of", person.username, "another order")
    notes.kept(plan, f"contact methods of {person.username}", stored.keys() - {one.name for one in wanted})


def _bring_method(person: User, row: ContactMethod | None, wanted: _Wanted, plan: Plan) -> ContactMethod:
    made = wanted.entry
    thing = f"{person.username}'s {wanted.name}"
    if row is None:
        plan.added("contact method", thing, f"{made.kind} {made.shown}")
        return methods.store(person, made, wanted.name, vouched_by=VOUCHED_BY if wanted.is_vouched else "")
    is_same = row.kind == made.kind and row.config == made.config
    if is_same and (not wanted.is_vouched or row.verified_at):
        return row
    said = "verified no -> yes" if is_same else f"{row.kind} {row.shown} -> {made.kind} {made.shown}"
    plan.changed("contact method", thing, said)
    row.kind, row.config, row.shown = made.kind, made.config, made.shown
    row.verified_at = clock.now() if wanted.is_vouched else None
    row.vouched_by = VOUCHED_BY if wanted.is_vouched else ""
    row.save()
    Destination.objects.filter(contact=row).update(kind=row.kind, config=row.config, failures=0, open_until=None)
    return row


def _bring_rules(person: User, items: Items, path: Path, plan: Plan) -> None:
    known = {row.label: row.pk for row in methods.live(person)}
    wanted: list[Rule] = []
    for number, item in enumerate(items):
        if item["method"] not in known:
            shown = ", ".join(known) or "none"
            sentence = f"{person.username} has no contact method '{item['method']}'. Known: {shown}."
            plan.refuse((*path, "rules", number, "method"), sentence)
            return
        wanted.append(Rule(known[item["method"]], bodies.after_s(item.get("after", "0s"))))
    before = {Rule(*pair) for pair in PersonalRule.objects.filter(user=person).values_list("method_id", "after_s")}
    if before != set(wanted):
        preferences.set_rules(person, wanted)
        plan.changed("notification rules of", person.username, f"{len(before)} -> {len(set(wanted))} rules")


def _bring_quiet(person: User, item: Mapping[str, Any] | None, plan: Plan) -> None:
    before = QuietHours.objects.filter(user=person).first()
    if item is None:
        if before is not None:
            preferences.clear_quiet(person)
            plan.changed("quiet hours of", person.username, "none any more")
        return
    wanted = bodies.quiet(item)
    same = before and (before.from_time, before.until_time, tuple(before.days)) == (
        wanted.from_time,
        wanted.until_time,
        wanted.days,
    )
    if not same:
        preferences.set_quiet(person, wanted)
        plan.changed("quiet hours of", person.username, f"{item['from']} to {item['until']}")
