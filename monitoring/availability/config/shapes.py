"""The JSON Schema of `components`: what the availability page shows, with the probes that look at it."""

from fleetledger.fleet.config.shapes import DURATION, NAME, TEAM, TEXT, URL, Shape, listed, optional, record
from fleetledger.fleet.config.source_shapes import HEADERS, LABEL
from monitoring.availability.models import ComponentKind
from monitoring.availability.sources import conditions

COMPONENT_NAME: Shape = {
    "type": "string",
    "pattern": r"^[a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?$",
    "description": "A name of a-z, 0-9 and -, such as inference-api.",
}
EXPRESSION: Shape = {"type": "string", "minLength": 1, "maxLength": 20_000, "description": "A PromQL expression."}
CONDITION: Shape = {
    "type": "string",
    "pattern": conditions.PATTERN,
    "description": "A condition on the value, such as '>= 1'.",
}
HOST: Shape = {
    "type": "string",
    "minLength": 1,
    "maxLength": 253,
    "pattern": r"^[^\s/\x00]+$",
    "description": "A host.",
}
PORT: Shape = {"type": "integer", "minimum": 1, "maximum": 65_535}
FACTS: Shape = {
    "type": "object",
    "additionalProperties": {
        "anyOf": [EXPRESSION, record({"expr": EXPRESSION, "label": LABEL, "unit": TEXT | {"maxLength": 16}}, "expr")],
        "description": "an expression, or {expr, label, unit}",
    },
    "propertyNames": {"pattern": r"^[a-z][a-z0-9_]{0,63}$"},
    "maxProperties": 20,
    "description": "Names such as replication_lag_s, each with an expression that gives its value.",
}
PROMQL = record(
    {
        "expr": EXPRESSION,
        "up": CONDITION,
        "degraded": CONDITION,
        "down": CONDITION,
        "traffic": EXPRESSION,
        "facts": FACTS,
    },
    "expr",
)
STATUS: Shape = {"type": "integer", "minimum": 100, "maximum": 599}
HTTP = record(
    {
        "url": URL,
        "method": {"enum": ["GET", "HEAD"]},
        "status": listed(STATUS, minItems=1),
        "body": TEXT | {"minLength": 1, "description": "A regular expression that the text must hold."},
        "headers": HEADERS,
        "slow_after": DURATION,
        "ca_file": TEXT,
        "insecure_skip_verify": {"type": "boolean"},
    },
    "url",
)
TCP = record({"host": HOST, "port": PORT}, "host", "port")
TLS = record(
    {
        "host": HOST,
        "port": PORT,
        "name": HOST | {"description": "Whom the certificate is for, where that is not the host."},
        "warn_days": {"type": "integer", "minimum": 0, "maximum": 3650},
        "ca_file": TEXT,
    },
    "host",
)
HEARTBEAT = record({"grace": DURATION})
KUBERNETES = record(
    {
        "namespace": NAME,
        "deployment": NAME,
        "statefulset": NAME,
        "daemonset": NAME,
        "node": NAME,
        "poddisruptionbudget": NAME,
        "job": NAME,
        "matchers": {
            "type": "object",
            "additionalProperties": {"type": "string", "maxLength": 300},
            "propertyNames": {"pattern": LABEL["pattern"]},
        },
        "facts": FACTS,
    }
)
PROBE = record(
    {
        "name": NAME | {"maxLength": 100},
        "source": NAME,
        "interval": DURATION,
        "timeout": DURATION,
        "promql": PROMQL,
        "http": HTTP,
        "tcp": TCP,
        "tls": TLS,
        "heartbeat": HEARTBEAT,
        "kubernetes": KUBERNETES,
    }
)
COMPONENT = record(
    {
        "name": COMPONENT_NAME,
        "title": NAME,
        "kind": {"enum": [kind.value for kind in ComponentKind if kind is not ComponentKind.OWN]},
        "team": optional(TEAM),
        "parent": optional(COMPONENT_NAME),
        "zone": optional(TEXT | {"maxLength": 100}),
        "needs": optional({"type": "integer", "minimum": 1, "maximum": 100_000}),
        "description": optional(TEXT),
        "runbook_url": optional({"type": "string", "maxLength": 2000, "pattern": r"^(https?://[^\s]+|/[^\s]*)$"}),
        "alert": {"type": "boolean"},
        "alert_after": DURATION,
        "severity": {"type": "string", "minLength": 1, "maxLength": 32, "pattern": r"^[^\x00-\x1f]+$"},
        "public": {"type": "boolean"},
        "public_title": optional(TEXT | {"maxLength": 200}),
        "probes": listed(PROBE),
        "children": listed({"$ref": "#/$defs/component"}, description="Components below this one."),
    },
    "name",
)
COMPONENTS = listed({"$ref": "#/$defs/component"}) | {"$defs": {"component": COMPONENT}}
