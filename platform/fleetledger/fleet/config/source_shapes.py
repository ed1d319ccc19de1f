"""The JSON Schema of `sources`: each kind has its own keys."""

from fleetledger.fleet.config.shapes import DURATION, NAME, SECRET, TEXT, URL, Shape, listed, record

LABEL: Shape = {"type": "string", "pattern": r"^[a-zA-Z_][a-zA-Z0-9_]*$", "description": "The name of a label."}
HEADERS: Shape = {
    "type": "object",
    "additionalProperties": {"anyOf": [{"type": "string", "maxLength": 2000}, SECRET]},
    "description": "Header names with texts; those that carry secrets as {env: NAME} or {file: PATH}.",
}
BASIC_AUTH = record({"username": TEXT, "password": SECRET}, "username", "password")
COMMON: dict[str, Shape] = {"name": NAME, "enabled": {"type": "boolean"}}
TELEMETRY: dict[str, Shape] = {
    "cluster": NAME,
    "scrape_interval": DURATION,
    "class_label": LABEL | {"description": "The label that names a workload's class."},
    "owner_label": LABEL | {"description": "The label that names a workload's owner."},
    "bridge": DURATION | {"description": "Gaps of a workload's labels up to this long are bridged; 300s."},
}
HTTP: dict[str, Shape] = {
    "token": SECRET,
    "basic_auth": BASIC_AUTH,
    "headers": HEADERS,
    "ca_file": TEXT,
    "insecure_skip_verify": {"type": "boolean"},
    "timeout": DURATION,
}
PROMETHEUS: dict[str, Shape] = {
    "url": URL,
    "replica_labels": listed(LABEL),
    "matchers": {
        "type": "object",
        "additionalProperties": {"type": "string", "maxLength": 300},
        "propertyNames": {"pattern": LABEL["pattern"]},
        "description": "Labels that every series must have, with their values.",
    },
}
BILL: dict[str, Shape] = {
    "format": {"enum": ["focus"], "description": "The bill's format: focus."},
    "currency": {"type": "string", "pattern": r"^[A-Z]{3}$", "description": "A currency such as USD."},
    "basis": {"enum": ["effective", "billed"]},
}


def _kind(kind: str, properties: dict[str, Shape], *required: str) -> Shape:
    return record(COMMON | {"kind": {"const": kind}} | properties, "name", "kind", *required)


KINDS: dict[str, Shape] = {
    "prometheus": _kind("prometheus", TELEMETRY | HTTP | PROMETHEUS, "url"),
    "exporters": _kind("exporters", TELEMETRY | HTTP | {"targets": listed(URL, minItems=1)}, "targets"),
    "nvml": _kind("nvml", TELEMETRY | {"node": NAME}),
    "bill": _kind("bill", BILL, "format"),
}
SOURCES = listed({"oneOf": list(KINDS.values()), "x-by": "kind"})
