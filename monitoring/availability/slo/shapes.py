"""The JSON Schema of `slos`: what is promised, and how it is counted."""

from fleetledger.fleet.config.shapes import DURATION, NAME, TEAM, TEXT, Shape, listed, optional, record
from monitoring.availability.config.shapes import COMPONENT_NAME
from monitoring.availability.slo.burn import Unit

AMOUNT: Shape = {
    "type": "string",
    "minLength": 1,
    "maxLength": 20_000,
    "description": "A counter's selector, or a PromQL expression with [$window] as the range.",
}
TEXTS: Shape = {
    "type": "object",
    "additionalProperties": {"type": "string", "maxLength": 5_000},
    "maxProperties": 50,
    "description": "Names with texts.",
}
LEAST: Shape = {"type": "integer", "minimum": 0, "maximum": 1_000_000_000}
SLOS = listed(
    record(
        {
            "name": COMPONENT_NAME | {"description": "A name of a-z, 0-9 and -, such as inference-api."},
            "title": NAME,
            "description": optional(TEXT),
            "team": optional(TEAM) | {"description": "Whose it is; the component's team unless given."},
            "component": optional(COMPONENT_NAME),
            "objective": {
                "type": "number",
                "exclusiveMinimum": 0,
                "exclusiveMaximum": 100,
                "description": "In percent, such as 99.9.",
            },
            "window": DURATION | {"description": "The budget's rolling window, from 7d to 90d; 30d unless given."},
            "kind": {"enum": Unit.values},
            "source": NAME,
            "good": AMOUNT,
            "bad": AMOUNT,
            "total": AMOUNT,
            "scrape_interval": DURATION | {"description": "How often there is a sample; the source's unless given."},
            "interval": DURATION | {"description": "How often it is evaluated; 1m unless given."},
            "guard": record({"min_events": LEAST, "min_errors": LEAST}),
            "alerting": {"type": "boolean"},
            "labels": TEXTS,
            "annotations": TEXTS,
        },
        "name",
        "objective",
    )
)
