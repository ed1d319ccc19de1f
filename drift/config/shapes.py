"""The JSON Schema of the section `models`."""

from drift.models import WindowGrain
from fleetledger.fleet.config.shapes import (
    DURATION,
    NAME,
    OWNER_MATCH,
    SECRET,
    TEAM,
    TEXT,
    URL,
    Shape,
    listed,
    optional,
    record,
)

MODEL_NAME: Shape = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
    "description": "Letters, digits, '.', '_' and '-', such as ranker.",
}
SHARE: Shape = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
RETRAIN_MATCH: Shape = {
    "type": "object",
    "properties": {key: OWNER_MATCH["properties"][key] for key in ("cluster", "namespace", "node", "workload")},
    "additionalProperties": False,
    "minProperties": 1,
    "description": "Which workloads retrain the model: at least one of cluster, namespace, node, workload.",
}
WEBHOOK: Shape = {
    "type": ["string", "object"],
    "maxLength": 2000,
    "pattern": URL["pattern"],
    "properties": {"url": {"anyOf": [URL, SECRET]}, "secret": SECRET},
    "required": ["url"],
    "additionalProperties": False,
    "description": "http://HOST:PORT/PATH, or {url: ..., secret: {env: NAME}} to have calls signed.",
}
SETTINGS = record(
    {
        "recipe": {"enum": ["robust", "evidently-compatible"]},
        "q": SHARE,
        "drift_share": SHARE,
        "thresholds": {
            "type": "object",
            "additionalProperties": {"type": "number"},
            "description": "Thresholds by column, instead of those that the reference gives.",
        },
    }
)
MODELS = listed(
    record(
        {
            "name": MODEL_NAME,
            "owner": TEAM,
            "description": optional(TEXT),
            "production": {"type": "boolean"},
            "importance": {"type": "integer", "minimum": 1, "maximum": 5},
            "pool": optional(NAME),
            "retrain_match": RETRAIN_MATCH,
            "retrain_webhook": WEBHOOK,
            "expected_every": optional(DURATION),
            "window": {"enum": list(WindowGrain.values)},
            "watch": optional({"type": "string", "minLength": 1, "maxLength": 500, "pattern": r"^/[^\x00-\x1f]*$"}),
            "settings": SETTINGS,
        },
        "name",
        "owner",
    )
)
