"""The sections of the configuration file: each room registers its own at start-up."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fleetledger.fleet.config.plan import Plan
from fleetledger.fleet.config.shapes import Shape

Apply = Callable[[Any, Plan], None]
Export = Callable[[], Any]
ID = "https://fleetledger.dev/schemas/configuration-1.json"

LATER = (
    "prices",
    "splits",
    "budgets",
)


@dataclass(frozen=True, slots=True)
class Section:
    """`apply` brings what is stored to what the file says; `export` gives what applies as no change.

    Both deal in what `shape` describes: mostly a list of mappings, or one mapping. A shape that refers to itself does
    so by `#/$defs/NAME`, with `$defs` of its own.
    """

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
    known: dict[str, Any] = {section.name: _nullable(section.shape) for section in sections()}
    defs = {name: shape for section in sections() for name, shape in section.shape.get("$defs", {}).items()}
    later = {name: empty for name in LATER if name not in known}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Fleetledger configuration",
        "type": "object",
        "properties": known | later,
        "additionalProperties": False,
    } | ({"$defs": defs} if defs else {})


def _nullable(shape: Shape) -> Shape:
    own = {key: value for key, value in shape.items() if key != "$defs"}
    return own | {"type": [shape["type"], "null"]}
