"""The JSON Schema of an alertmanager.yml so far as it is taken over: every scalar is a text, other keys are free."""

from typing import Any

from fleetledger.fleet.config.shapes import Shape, listed

DURATION_PATTERN = r"^(0|(?=.)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?)?$"
WORD: Shape = {"type": "string", "description": "a text"}
NAME: Shape = {"type": "string", "minLength": 1, "description": "a name"}
SWITCH: Shape = {"type": "string", "pattern": r"^(?i:true|false|yes|no|on|off|y|n)?$", "description": "true or false"}
DURATION: Shape = {"type": "string", "pattern": DURATION_PATTERN, "description": "a duration such as 30s, 5m or 1h30m"}
CLOCK_TIME: Shape = {
    "type": "string",
    "pattern": r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$",
    "description": "a time as 09:00",
}
NUMBER: Shape = {"type": "string", "pattern": r"^\d{0,9}$", "description": "a whole number"}


def _or_nothing(shape: Shape) -> Shape:
    """A key that stands there with nothing behind it counts as left out."""
    return {"if": {"const": ""}, "else": shape}


def _open(properties: dict[str, Shape], *required: str, **more: Any) -> Shape:
    return {"type": "object", "properties": properties, "required": list(required), **more}


WORDS = _or_nothing(listed(WORD))
VALUES = _or_nothing({"type": "object", "additionalProperties": WORD})
_ROUTE: dict[str, Shape] = {
    "receiver": WORD,
    "group_by": WORDS,
    "group_wait": DURATION,
    "group_interval": DURATION,
    "repeat_interval": DURATION,
    "continue": SWITCH,
    "matchers": WORDS,
    "match": VALUES,
    "match_re": VALUES,
    "mute_time_intervals": WORDS,
    "active_time_intervals": WORDS,
    "routes": _or_nothing(listed({"$ref": "#/$defs/route"})),
}
_INHIBIT_RULE: dict[str, Shape] = {"equal": WORDS} | {
    f"{side}_{key}": shape
    for side in ("source", "target")
    for key, shape in (("match", VALUES), ("match_re", VALUES), ("matchers", WORDS))
}
_TIMES = _open({"start_time": CLOCK_TIME, "end_time": CLOCK_TIME}, "start_time", "end_time")
_ENTRY = _open(
    {"times": _or_nothing(listed(_TIMES)), "location": WORD}
    | dict.fromkeys(("weekdays", "days_of_month", "months", "years"), WORDS)
)
_INTERVALS = _or_nothing(listed(_open({"name": NAME, "time_intervals": _or_nothing(listed(_ENTRY))}, "name")))
_SETTINGS = _open({"max_alerts": NUMBER, "send_resolved": SWITCH, "require_tls": SWITCH})
_RECEIVER = _open({"name": NAME}, "name", patternProperties={"_configs$": _or_nothing(listed(_SETTINGS))})
FILE: Shape = _open(
    {
        "global": _or_nothing({"type": "object"}),
        "route": {"$ref": "#/$defs/root"},
        "receivers": _or_nothing(listed(_RECEIVER)),
        "inhibit_rules": _or_nothing(listed(_open(_INHIBIT_RULE))),
        "time_intervals": _INTERVALS,
        "mute_time_intervals": _INTERVALS,
    },
    "route",
) | {"$defs": {"route": _open(_ROUTE), "root": _open(_ROUTE | {"receiver": NAME}, "receiver")}}
