"""The JSON Schema of `contacts`: how people are reached."""

from fleetledger.fleet.config.shapes import DURATION, NAME, SECRET, TEXT, Shape, listed, optional, record
from monitoring.alerts.config.schedule_shapes import PERSON
from monitoring.alerts.config.shapes import APPRISE_ADDRESS, CLOCK_TIME, HTTP_ADDRESS, MAIL_ADDRESS
from monitoring.alerts.oncall.documents import DAYS

METHOD: Shape = record(
    {
        "name": NAME | {"maxLength": 100},
        "email": record({"to": MAIL_ADDRESS}, "to"),
        "webhook": record({"url": HTTP_ADDRESS, "secret": SECRET}, "url"),
        "slack": record({"url": HTTP_ADDRESS, "channel": TEXT}, "url"),
        "pagerduty": record({"routing_key": SECRET}, "routing_key"),
        "apprise": record({"url": APPRISE_ADDRESS}, "url"),
        "verified": {
            "type": "boolean",
            "description": "Whoever applies the file vouches for it; else its owner types the code that is sent to it.",
        },
    },
    "name",
)
RULE: Shape = record(
    {
        "method": NAME | {"description": "The name of one of the person's contact methods."},
        "after": DURATION | {"description": "How long after the page began; at once unless given."},
    },
    "method",
)
QUIET_HOURS: Shape = record(
    {
        "from": CLOCK_TIME,
        "until": CLOCK_TIME,
        "days": listed({"enum": list(DAYS)}, minItems=1, uniqueItems=True),
    },
    "from",
    "until",
)
CONTACTS: Shape = listed(
    record(
        {
            "user": PERSON,
            "methods": listed(METHOD, description="In the order in which they page."),
            "rules": optional(listed(RULE)),
            "quiet_hours": optional(QUIET_HOURS),
        },
        "user",
    )
)
