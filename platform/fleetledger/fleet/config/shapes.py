"""The JSON Schema of the fleet's sections of the configuration file."""

from typing import Any

from fleetledger.fleet.models import IdlePolicy, Role, SharePolicy
from fleetledger.lib import durations

Shape = dict[str, Any]
SLUG = r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$"
DAY = r"^\d{4}-\d\d-\d\d$"
SECRET_HINT = "A secret never stands in the file: write {env: NAME} or {file: PATH}."  # noqa: S105 a sentence
TEXT: Shape = {"type": "string", "maxLength": 300}
NAME: Shape = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[^\x00-\x1f]+$"}
PATTERN: Shape = {"type": "string", "minLength": 1, "maxLength": 300, "description": "An anchored regular expression."}
DURATION: Shape = {"type": "string", "pattern": durations.PATTERN, "description": "A duration such as 30s, 5m or 1h."}
DATE: Shape = {"type": "string", "pattern": DAY, "description": "A day such as 2026-01-01."}
TEAM: Shape = {"type": "string", "pattern": SLUG, "description": "A team's slug: a-z, 0-9 and -, such as vision."}
URL: Shape = {"type": "string", "pattern": r"^https?://[^\s/]+", "maxLength": 2000, "description": "http://HOST:PORT"}
SECRET: Shape = {
    "type": "object",
    "description": SECRET_HINT,
    "properties": {"env": NAME, "file": NAME},
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}


def optional(shape: Shape) -> Shape:
    """`shape`, or null to clear what is stored."""
    return shape | {"type": [shape["type"], "null"]}


def record(properties: dict[str, Shape], *required: str) -> Shape:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def listed(item: Shape, **more: Any) -> Shape:
    return {"type": "array", "items": item, **more}


CLUSTERS = listed(record({"name": NAME, "provider": optional(TEXT), "region": optional(TEXT)}, "name"))
NODES = listed(
    record(
        {
            "name": NAME,
            "cluster": NAME,
            "provider_id": optional(TEXT),
            "gpus": optional({"type": "integer", "minimum": 0, "maximum": 1024}),
        },
        "name",
        "cluster",
    )
)
MEMBERS = listed(record({"user": NAME, "role": {"enum": list(Role.values)}}, "user"))
TEAMS = listed(
    record(
        {
            "slug": TEAM,
            "name": NAME,
            "cost_center": optional(TEXT),
            "parent": optional(TEAM),
            "members": MEMBERS,
        },
        "slug",
    )
)
TAGS: Shape = {
    "type": "object",
    "additionalProperties": {"type": "string", "maxLength": 300},
    "minProperties": 1,
    "description": "Tags of bill rows with their literal values.",
}
OWNER_MATCH: Shape = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("cluster", "namespace", "node", "workload", "gpu_model", "pool"), PATTERN),
        "tags": TAGS,
    },
    "additionalProperties": False,
    "minProperties": 1,
    "description": "At least one of cluster, namespace, node, workload, gpu_model, pool, tags.",
}
OWNERSHIP = listed(record({"team": TEAM, "from": DATE, "until": DATE, "match": OWNER_MATCH}, "team", "match"))
POOL_MATCH: Shape = {
    "type": "object",
    "properties": dict.fromkeys(("cluster", "node", "gpu_model"), PATTERN),
    "additionalProperties": False,
}
POOLS = listed(
    record(
        {
            "name": NAME,
            "match": POOL_MATCH,
            "idle": {"enum": list(IdlePolicy.values)},
            "share": {"enum": list(SharePolicy.values)},
            "owner": optional(TEAM),
        },
        "name",
        "match",
    )
)
