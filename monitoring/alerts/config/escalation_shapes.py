"""The JSON Schema of `escalations`: who is paged next where nobody acknowledges."""

from fleetledger.fleet.config.shapes import DURATION, NAME, TEAM, Shape, listed, optional, record
from monitoring.alerts.config.schedule_shapes import PERSON, SCHEDULE_NAME, TIME_ZONE
from monitoring.alerts.config.shapes import CLOCK_TIME, TLS, WEBHOOK
from monitoring.alerts.oncall.documents import DAYS

CONDITION = record(
    {
        "time": record(
            {
                "from": CLOCK_TIME,
                "until": CLOCK_TIME,
                "days": listed({"enum": list(DAYS)}, minItems=1, uniqueItems=True),
                "time_zone": TIME_ZONE,
            }
        ),
        "more_than": record(
            {"alerts": {"type": "integer", "minimum": 0, "maximum": 1_000_000}, "within": DURATION}, "alerts", "within"
        ),
    }
)
KINDS: dict[str, Shape] = {
    "wait": DURATION,
    "person": PERSON,
    "schedule": SCHEDULE_NAME,
    "team": TEAM,
    "everyone": {"const": True, "description": "true"},
    "receiver": NAME,
    "webhook": record(WEBHOOK | TLS | {"send_resolved": {"type": "boolean"}}, "url"),
}
STEP = record(KINDS | {"if": CONDITION})
ESCALATIONS = listed(
    record(
        {
            "name": SCHEDULE_NAME,
            "team": optional(TEAM),
            "acknowledge_timeout": optional(DURATION),
            "repeat": {"type": "integer", "minimum": 0, "maximum": 100},
            "steps": listed(STEP, minItems=1, maxItems=100),
        },
        "name",
        "steps",
    )
)
