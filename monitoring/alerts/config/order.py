"""Puts a stored document's keys into the order of its schema: the database keeps none."""

from typing import Any

from fleetledger.fleet.config.shapes import Shape

_REFERENCE = "#/$defs/"


def in_order(value: Any, shape: Shape, defs: dict[str, Shape]) -> Any:
    """`value` with the keys of its mappings as `shape` lists them, those that it does not list by name."""
    shape = defs[shape["$ref"].removeprefix(_REFERENCE)] if "$ref" in shape else shape
    if isinstance(value, list):
        return [in_order(item, shape.get("items", {}), defs) for item in value]
    if not isinstance(value, dict):
        return value
    known: dict[str, Shape] = shape.get("properties", {})
    names = [name for name in known if name in value] + sorted(value.keys() - known.keys())
    return {name: in_order(value[name], known.get(name, {}), defs) for name in names}
