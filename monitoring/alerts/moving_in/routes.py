"""Takes over what says where alerts go: routes, inhibit rules, time intervals."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fleetledger.fleet.config.issues import Path
from fleetledger.lib.durations import DurationError, duration_text, parse_duration
from monitoring.alerts.intervals import entry_problems
from monitoring.alerts.matchers import MatcherError
from monitoring.alerts.moving_in.account import Account
from monitoring.alerts.routing import matchers_of

Document = Mapping[str, Any]
DURATIONS = ("group_wait", "group_interval", "repeat_interval")
LISTS = ("group_by", "matchers", "mute_time_intervals", "active_time_intervals")
MAPPINGS = ("match", "match_re")
INTERVAL_LISTS = ("weekdays", "days_of_month", "months", "years")
DAYS_OF_A_YEAR = 365


def route(document: Document, path: Path, account: Account) -> dict[str, Any] | None:
    """A route with those below it; None where its matchers cannot be carried."""
    try:
        matchers_of(_strings(document))
    except MatcherError as error:
        account.leave(path, f"This route with all below it is left out: {error} Alerts take the next one that matches.")
        return None
    found: dict[str, Any] = {}
    if document.get("receiver"):
        found["receiver"] = document["receiver"]
        account.carry((*path, "receiver"))
    found |= _plain(document, path, account)
    for key in DURATIONS:
        if document.get(key):
            found[key] = duration(document[key])
            account.carry((*path, key))
    if "continue" in document:
        found["continue"] = is_true(document["continue"])
        account.carry((*path, "continue"))
    children = document.get("routes") or []
    below = [route(child, (*path, "routes", index), account) for index, child in enumerate(children)]
    kept = [child for child in below if child is not None]
    return account.made(found | ({"routes": kept} if kept else {}), path)


def inhibit_rule(document: Document, path: Path, account: Account) -> dict[str, Any] | None:
    """None where one of its sides is about every alert, or its matchers cannot be carried."""
    sides = ("source", "target")
    keys = [f"{side}_{kind}" for side in sides for kind in (*MAPPINGS, "matchers")]
    found = {key: document[key] for key in (*keys, "equal") if document.get(key)}
    try:
        is_whole = all(matchers_of(found, f"{side}_") for side in sides)
    except MatcherError as error:
        account.leave(path, f"This rule is left out: {error}")
        return None
    if not is_whole:
        account.leave(path, "This rule is left out: without matchers on both sides it is about every alert.")
        return None
    for key in found:
        account.carry((*path, key))
    return account.made(found, path)


def time_interval(document: Document, path: Path, account: Account) -> dict[str, Any]:
    entries = [
        _entry(entry, (*path, "time_intervals", index), account)
        for index, entry in enumerate(document.get("time_intervals") or [])
    ]
    account.carry((*path, "name"))
    kept = [entry for entry in entries if entry is not None]
    return account.made({"name": document["name"], "time_intervals": kept}, path)


def duration(text: str) -> str:
    """Years and a bare 0, which Alertmanager knows too, as we write them."""
    years = re.match(r"(\d+)y", text)
    if not years:
        return "0s" if text == "0" else text
    rest = text[years.end() :]
    try:
        whole = timedelta(days=int(years[1]) * DAYS_OF_A_YEAR) + (parse_duration(rest) if rest else timedelta())
    except (DurationError, OverflowError):
        return text  # too long for us: refused where what came of the file is checked
    return duration_text(whole)


def is_true(text: str) -> bool:
    return text.lower() in {"true", "yes", "on", "y"}


def _plain(document: Document, path: Path, account: Account) -> dict[str, Any]:
    found = {key: document[key] for key in (*LISTS, *MAPPINGS) if document.get(key)}
    for key in (*LISTS, *MAPPINGS):
        if key in document:
            account.carry((*path, key))
    return found


def _strings(document: Document) -> Document:
    return {key: value for key, value in document.items() if key in {"matchers", *MAPPINGS}}


def _entry(entry: Document, path: Path, account: Account) -> dict[str, Any] | None:
    found = {key: entry[key] for key in ("times", *INTERVAL_LISTS) if entry.get(key)}
    for key in found:
        account.carry((*path, key))
    location = entry.get("location")
    if location == "Local":
        account.leave(
            (*path, "location"), "The zone of the machine that ran Alertmanager is not known here: read as UTC."
        )
    elif location:
        found["location"] = location
        account.carry((*path, "location"))
    for sentence in entry_problems(found):
        account.leave(path, f"This entry is left out: {sentence}")
        return None
    return account.made(found, path)
