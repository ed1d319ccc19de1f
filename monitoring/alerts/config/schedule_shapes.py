"""The JSON Schema of `schedules`: who is on call when."""

from fleetledger.fleet.config.shapes import NAME, SECRET, TEAM, TEXT, URL, Shape, listed, optional, record
from monitoring.alerts.config.shapes import CLOCK_TIME
from monitoring.alerts.oncall.documents import DAYS, WALL_TIME

MAX_TEXT = 2 * 1024 * 1024
SCHEDULE_NAME = NAME | {
    "pattern": r"^(?!\.{1,2}$)[^\x00-\x1f/]+$",  # a part of addresses
    "description": "A name without /.",
}
TIME_ZONE = NAME | {"description": "A time zone such as Europe/Berlin."}
PERSON = NAME | {"maxLength": 150, "description": "A user's name."}
PEOPLE: Shape = {
    "anyOf": [
        {
            "type": "array",
            "minItems": 1,
            "items": {"anyOf": [PERSON, {"type": "array", "minItems": 1, "items": PERSON}]},
        },
        {"type": "object", "additionalProperties": PERSON},
    ],
    "description": "users' names, in a list of their own where they are on call together, as in [mira, [tom, ana]]; "
    "of an ical layer {SUMMARY OR MAIL: NAME}",
}
LOCAL: Shape = {"type": "string", "pattern": WALL_TIME, "description": "A wall time such as 2026-03-02 09:00."}
FALLBACK: Shape = {
    "type": "object",
    "properties": {"person": PERSON, "team": TEAM, "receiver": NAME},
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
    "description": "one of {person: NAME}, {team: SLUG} and {receiver: NAME}",
}
ICAL: Shape = {
    "type": "object",
    "properties": {
        "url": {"anyOf": [URL, SECRET], "description": "https://HOST/PATH, or {env: NAME} or {file: PATH}"},
        "text": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT, "description": "The iCalendar text itself."},
    },
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
    "description": "{url: https://HOST/PATH} or {text: ICALENDAR}",
}
LAYER = record(
    {
        "name": NAME,
        "people": PEOPLE,
        "every": TEXT | {"minLength": 1, "description": "How long a turn lasts: day, week, 12h, 3d or 2w."},
        "start": LOCAL,
        "until": LOCAL,
        "active": listed(
            record(
                {
                    "days": listed({"enum": list(DAYS)}, minItems=1, uniqueItems=True),
                    "from": CLOCK_TIME,
                    "until": CLOCK_TIME,
                }
            ),
            minItems=1,
        ),
        "time_zone": TIME_ZONE,
        "ical": ICAL,
    },
    "name",
)
SCHEDULES = listed(
    record(
        {
            "name": SCHEDULE_NAME,
            "team": optional(TEAM),
            "description": optional(TEXT),
            "time_zone": TIME_ZONE,
            "fallback": optional(FALLBACK),
            "layers": listed(LAYER, description="Rotations and calendars; later ones lie on those before."),
        },
        "name",
        "time_zone",
        "layers",
    )
)
