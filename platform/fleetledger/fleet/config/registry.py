"""The sections of the configuration file: each room registers its own at start-up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fleetledger.fleet.config.plan import Plan
from fleetledger.fleet.config.shapes import Shape

Items = Sequence[dict[str, Any]]
Apply = Callable[[Items, Plan], None]
Export = Callable[[], list[dict[str, Any]]]
ID = "https://fleetledger.dev/schemas/configuration-1.json"

LATER = (
    "prices",
    "splits",
    "budgets",
    "rules",
    "route",
    "inhibit_rules",
    "receivers",
    "alerting",
    "schedules",
    "escalations",
    "components",
    "slos",
    "models",
)


@dataclass(frozen=True, slots=True)
class Section:
    """`apply` brings what is stored to what the items say; `export` gives items that apply as no change."""

    name: str
    shape: Shape
    apply: Apply
    export: Export


_sections: dict[str, Section] = {}


def register(section: str, schema: Shape, apply: Apply, export: Export) -> None:
    """Add a section, after those that exist: sections are applied in the order of registration."""
    _sections[section] = Section(section, schema, apply, export)


def sections() -> list[Section]:
    return list(_sections.values())


def json_schema() -> dict[str, Any]:
    """The whole file's JSON Schema. Sections of later versions may stand in it, empty."""
    empty = {"anyOf": [{"type": "null"}, {"type": ["array", "object"], "maxItems": 0, "maxProperties": 0}]}
    known: dict[str, Any] = {
        section.name: section.shape | {"type": [section.shape["type"], "null"]} for section in sections()
    }
    later = {name: empty for name in LATER if name not in known}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Fleetledger configuration",
        "type": "object",
        "properties": known | later,
        "additionalProperties": False,
    }
