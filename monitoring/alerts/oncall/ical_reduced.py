"""Takes out of an iCalendar text what on-call does not need: descriptions, alarms, and stamps that change each time."""

import re

_NEEDED = frozenset(
    {
        "ATTENDEE",
        "BEGIN",
        "DTEND",
        "DTSTART",
        "DURATION",
        "END",
        "EXDATE",
        "ORGANIZER",
        "RDATE",
        "RECURRENCE-ID",
        "RRULE",
        "SEQUENCE",
        "STATUS",
        "SUMMARY",
        "UID",
    }
)
_KEPT_WHOLE = frozenset({"VTIMEZONE"})
_KEPT = frozenset({"VCALENDAR", "VEVENT"})
_OF_THE_CALENDAR = frozenset({"VERSION", "PRODID", "X-WR-TIMEZONE"})


def reduced(text: str) -> str:
    """The same events in the same zones; a text that is no calendar is given back as it is."""
    lines = re.sub(r"\r?\n[ \t]", "", text).splitlines()
    if not lines or lines[0].strip().upper() != "BEGIN:VCALENDAR":
        return text
    inside: list[str] = []
    kept = []
    for line in lines:
        name, value = re.split(r"[:;]", line, maxsplit=1)[0].strip().upper(), line.partition(":")[2].strip().upper()
        if name == "BEGIN":
            inside.append(value)
        if _is_needed(inside, name):
            kept.append(line)
        if name == "END" and inside:
            inside.pop()
    return "\r\n".join(kept) + "\r\n"


def _is_needed(inside: list[str], name: str) -> bool:
    if any(component in _KEPT_WHOLE for component in inside):
        return True
    if any(component not in _KEPT for component in inside):
        return False
    return name in _NEEDED or (inside == ["VCALENDAR"] and name in _OF_THE_CALENDAR)
