"""The JSON Schema of `rules`: expressions on a source, facts of our own, heartbeats, and the rule pack."""

from fleetledger.fleet.config.shapes import DURATION, NAME, TEAM, TEXT, Shape, listed, optional, record

EXPRESSION: Shape = {"type": "string", "minLength": 1, "maxLength": 20_000, "description": "A PromQL expression."}
LABEL_TEXTS: Shape = {
    "type": "object",
    "additionalProperties": {"type": "string", "maxLength": 5_000},
    "description": "Names with texts, which may hold {{ $labels.NAME }} and {{ $value }}.",
}
HEARTBEAT = record({"every": DURATION, "grace": DURATION}, "every")
RULES = listed(
    record(
        {
            "name": NAME,
            "team": optional(TEAM),
            "enabled": {"type": "boolean"},
            "source": NAME,
            "expr": EXPRESSION,
            "fact": NAME,
            "heartbeat": HEARTBEAT,
            "pack": TEXT | {"description": "A pack of ours, evaluated on the source: gpu or fleetledger."},
            "except": listed(NAME, description="Rules of the pack that are left out."),
            "for": DURATION,
            "keep_firing_for": DURATION,
            "interval": DURATION,
            "options": {"type": "object"},
            "labels": LABEL_TEXTS,
            "annotations": LABEL_TEXTS,
        }
    )
)
