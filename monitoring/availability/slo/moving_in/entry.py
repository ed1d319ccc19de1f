"""What OpenSLO and Sloth have in common, as an entry of `slos`: names, labels, targets and amounts."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from monitoring.alerts.labels import is_name
from monitoring.availability.slo import expressions
from monitoring.availability.slo.alerts import OURS
from monitoring.availability.slo.errors import ExpressionError, SloError
from monitoring.availability.slo.expressions import PLACEHOLDER
from monitoring.availability.slo.moving_in.parts import Part

LONGEST_NAME, LONGEST_TITLE, LONGEST_DESCRIPTION, LONGEST_TEXT = 100, 200, 300, 5_000
MOST_TEXTS = 50
_SUM = re.compile(r"sum(?:\s+(?:by|without)\s*\([^()]*\))?\s*\((.*)\)(?:\s*(?:by|without)\s*\([^()]*\))?", re.DOTALL)
_RANGE = re.compile(r"\[\s*\d[^\]:]*\]")
OURS_ALREADY = "Fleetledger gives this label itself."
NO_LABEL = "It can name no label here: letters, digits and _ do."
TEMPLATE = "Go templates: Fleetledger takes the text as it stands."


class LeftOutError(SloError):
    """An objective that cannot be carried at all, and why."""


@dataclass(slots=True)
class Taken:
    """What is known of all files: our names, so that references can be kept, and what was changed on the way."""

    components: Collection[str] = ()
    sources: Collection[str] = ()
    team: str | None = None
    names: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def named(self, *parts: str) -> str:
        """A name of ours that no other has: a-z, 0-9 and -."""
        words = re.sub(r"[^a-z0-9]+", "-", "-".join(part for part in parts if part).lower()).strip("-") or "slo"
        wanted, number = words[: LONGEST_NAME - 5].rstrip("-"), 1
        found = wanted
        while found in self.names:
            number += 1
            found = f"{wanted}-{number}"
        self.names.add(found)
        return found

    def note(self, part: Part, sentence: str) -> None:
        self.notes.append(f"{part.account.places.place(part.path)}: {sentence}")


def entry(taken: Taken, name: str, title: str, description: str) -> dict[str, Any]:
    """The first keys of an entry."""
    found: dict[str, Any] = {"name": name}
    found |= {"title": title[:LONGEST_TITLE]} if title and title != name else {}
    found |= {"description": description[:LONGEST_DESCRIPTION]} if description else {}
    return found | ({"team": taken.team} if taken.team else {})


def service(taken: Taken, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """(keys, labels): our component of that name, else a label."""
    if not name:
        return {}, {}
    return ({"component": name}, {}) if name in taken.components else ({}, {"service": name})


def percentage(text: str, *, is_share: bool) -> float | int:
    """A target in percent; raises LeftOutError."""
    try:
        value = Decimal(text) * (100 if is_share else 1)
        if value.is_finite() and 0 < value < 100 and round(value, 6) == value:  # noqa: PLR2004 percent
            return int(value) if value == int(value) else float(value)
    except InvalidOperation:
        pass
    raise LeftOutError(f"The target '{text[:40]}' is none of ours: it lies between 0 and 100 %, and is neither.")


def amount(part: Part, text: str, taken: Taken) -> str:
    """A query as our PromQL: sum(counter) as the counter, a fixed range as [$window]; raises LeftOutError."""
    if len(text) > LONGEST_TEXT:
        raise LeftOutError(f"Its query has {len(text)} characters; Fleetledger takes {LONGEST_TEXT} at most.")
    query = " ".join(text.split())
    summed = _SUM.fullmatch(query)
    attempts = [query, *([summed[1].strip()] if summed else [])]
    for attempt in attempts:
        known = _parsed(attempt)
        if known is not None:
            return known
    fixed = _RANGE.search(query)
    known = _parsed(_RANGE.sub(PLACEHOLDER, query)) if fixed else None
    if fixed and known is not None:
        taken.note(part, f"{fixed[0]} became {PLACEHOLDER}, for each window asks for a range of its own.")
        return known
    try:
        return expressions.parse(query).text
    except ExpressionError as error:
        raise LeftOutError(str(error)) from error


def texts(part: Part, key: str, *, are_labels: bool) -> dict[str, str]:
    """Labels or annotations; what cannot be one is left with its reason. A list of one is that one."""
    found: dict[str, str] = {}
    for name, inner in part.items(key):
        value = inner.value
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not is_name(name):
            inner.leave(NO_LABEL)
        elif are_labels and name in OURS:
            inner.leave(OURS_ALREADY)
        elif not isinstance(value, str):
            inner.leave("A label has one text here.")
        elif "{{" in value:
            inner.leave(TEMPLATE)
        elif len(value) > LONGEST_TEXT or len(found) >= MOST_TEXTS:
            inner.leave(f"A text has at most {LONGEST_TEXT:,} characters here, and there are at most {MOST_TEXTS}.")
        else:
            part.account.carry(inner.path)
            found |= {name: value} if value else {}
    return found


def _parsed(text: str) -> str | None:
    try:
        return expressions.parse(text).text
    except ExpressionError:
        return None
