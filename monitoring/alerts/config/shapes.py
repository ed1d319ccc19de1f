"""The JSON Schema of alerting's sections of the configuration file."""

from fleetledger.fleet.config.shapes import DURATION, NAME, SECRET, TEAM, TEXT, URL, Shape, listed, record
from fleetledger.fleet.config.source_shapes import HEADERS

MATCHER: Shape = {
    "type": "string",
    "minLength": 1,
    "maxLength": 4000,
    "description": 'Alertmanager\'s matchers, such as severity="critical" or node=~"gpu-.*".',
}
CLOCK_TIME: Shape = {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$", "description": "HH:MM"}
LABEL_NAME: Shape = {"type": "string", "minLength": 1, "maxLength": 200}
VALUES: Shape = {
    "type": "object",
    "additionalProperties": {"type": "string", "maxLength": 4000},
    "description": "Names of labels with their values.",
}
EXPRESSIONS = VALUES | {"description": "Names of labels with anchored regular expressions."}
ESCALATION: Shape = {
    "anyOf": [NAME, {"type": "object", "additionalProperties": NAME, "minProperties": 1}],
    "description": "An escalation's name, or names by severity: {critical: NAME, default: NAME}.",
}
ROUTE_KEYS: dict[str, Shape] = {
    "receiver": NAME,
    "escalation": ESCALATION,
    "group_by": listed(LABEL_NAME, description="Names of labels, or [...] for all of them."),
    "group_wait": DURATION,
    "group_interval": DURATION,
    "repeat_interval": DURATION,
    "continue": {"type": "boolean"},
    "matchers": listed(MATCHER),
    "match": VALUES,
    "match_re": EXPRESSIONS,
    "mute_time_intervals": listed(NAME, description="Names of time intervals in which this route tells nobody."),
    "active_time_intervals": listed(NAME, description="Names of the only time intervals in which this route tells."),
    "routes": listed({"$ref": "#/$defs/route"}),
}
DEFS: dict[str, Shape] = {"route": record(ROUTE_KEYS)}
ROOT = record(ROUTE_KEYS, "receiver")
INHIBIT_RULES = listed(
    record(
        {
            "source_matchers": listed(MATCHER),
            "source_match": VALUES,
            "source_match_re": EXPRESSIONS,
            "target_matchers": listed(MATCHER),
            "target_match": VALUES,
            "target_match_re": EXPRESSIONS,
            "equal": listed(LABEL_NAME),
            "strict": {
                "type": "boolean",
                "description": "A label of 'equal' that is missing inhibits nothing; else it counts as empty.",
            },
        }
    )
)
RANGE: Shape = {"type": ["string", "integer"], "description": "One, or a range such as monday:friday or 1:15."}
TIME_INTERVALS = listed(
    record(
        {
            "name": NAME,
            "time_intervals": listed(
                record(
                    {
                        "times": listed(
                            record({"start_time": CLOCK_TIME, "end_time": CLOCK_TIME}, "start_time", "end_time")
                        ),
                        "weekdays": listed(RANGE),
                        "days_of_month": listed(RANGE),
                        "months": listed(RANGE),
                        "years": listed(RANGE),
                        "location": NAME | {"description": "A time zone such as Europe/Berlin; UTC if left out."},
                    }
                )
            ),
        },
        "name",
        "time_intervals",
    ),
    description="Alertmanager's time intervals.",
)

TLS: dict[str, Shape] = {"ca_file": TEXT, "insecure_skip_verify": {"type": "boolean"}}
COMMON: dict[str, Shape] = {
    "send_resolved": {"type": "boolean"},
    "canary": DURATION | {"description": "How often a harmless message tries whether this still works, such as 24h."},
}
HTTP_ADDRESS: Shape = {
    "anyOf": [URL, SECRET],
    "description": "http://HOST:PORT/PATH; where it holds a secret {env: NAME} or {file: PATH}.",
}
APPRISE_ADDRESS: Shape = {
    "anyOf": [{"type": "string", "pattern": r"^[A-Za-z0-9]+://", "maxLength": 2000}, SECRET],
    "description": "An address of apprise; where it holds a secret {env: NAME} or {file: PATH}.",
}
MAIL_ADDRESS: Shape = {"type": "string", "minLength": 3, "maxLength": 2000}
SMARTHOST: Shape = {"type": "string", "pattern": r"^\S+:\d+$", "description": "The mail server as HOST:PORT."}
WEBHOOK: dict[str, Shape] = {
    "url": HTTP_ADDRESS,
    "secret": SECRET,
    "headers": HEADERS,
    "max_alerts": {"type": "integer", "minimum": 0, "description": "0 for all of a message's alerts."},
}
EMAIL: dict[str, Shape] = {
    "to": {
        "anyOf": [MAIL_ADDRESS, listed(MAIL_ADDRESS, minItems=1)],
        "description": "A mail address, or a list of them.",
    },
    "from": MAIL_ADDRESS,
    "smarthost": SMARTHOST,
    "auth_username": TEXT,
    "auth_password": SECRET,
    "require_tls": {"type": "boolean"},
    "implicit_tls": {"type": "boolean"},
}
SLACK: dict[str, Shape] = {"url": HTTP_ADDRESS, "channel": TEXT, "username": TEXT}
PAGERDUTY: dict[str, Shape] = {
    "routing_key": SECRET,
    "url": URL,
    "severity": {"enum": ["critical", "error", "warning", "info"]},
}
RECEIVERS = listed(
    record(
        {
            "name": NAME,
            "fallback": NAME | {"description": "The receiver that is told where this one cannot be."},
            "webhook": listed(record(WEBHOOK | COMMON | TLS, "url")),
            "email": listed(record(EMAIL | COMMON | TLS, "to")),
            "slack": listed(record(SLACK | COMMON | TLS, "url")),
            "pagerduty": listed(record(PAGERDUTY | COMMON | TLS, "routing_key")),
            "apprise": listed(record({"url": APPRISE_ADDRESS} | COMMON, "url")),
        },
        "name",
    )
)

ROUTE: Shape = ROOT | {"$defs": DEFS}
ALERTING = listed(
    record(
        {
            "team": TEAM,
            "route": ROOT | {"type": ["object", "null"], "description": "Null: the platform's tree again."},
            "inhibit_rules": INHIBIT_RULES,
            "receivers": RECEIVERS,
            "time_intervals": TIME_INTERVALS,
        },
        "team",
    )
) | {"$defs": DEFS}
