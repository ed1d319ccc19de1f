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
COLUMN: Shape = {"type": "string", "minLength": 1, "maxLength": 500}
DATA = record(
    {
        "time": {**COLUMN, "description": "The column with the instant of each row."},
        "id": {**COLUMN, "description": "The column that names each prediction, by which labels find it."},
        "prediction": COLUMN,
        "score": {**COLUMN, "description": "The chance of the class `positive`."},
        "label": COLUMN,
        "positive": {"type": "string", "description": "The class that `score` is the chance of."},
        "task": {"enum": ["classification", "regression"]},
        "ignore": {"type": "array", "items": COLUMN, "description": "Columns whose drift means nothing."},
        "kinds": {
            "type": "object",
            "additionalProperties": {"enum": ["numerical", "categorical", "text", "embedding"]},
            "description": "What columns hold where a look at the reference would guess otherwise.",
        },
        "season": {"enum": ["none", "hour", "weekday", "hour of week"]},
        "zone": {"type": "string", "description": "The time zone of `season`, such as Europe/Berlin."},
        "lateness": {**DURATION, "description": "How long a window of events waits for late ones; 1h."},
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
            "watch": optional(
                {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 500,
                    "pattern": r"^(/|s3://|gs://|gcs://|abfss?://)[^\x00-\x1f]*$",
                }
            ),
            "settings": SETTINGS,
            "data": DATA,
        },
        "name",
        "owner",
    )
)
