"""Checks a document against the schema, and says each mistake in words with its line."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from fleetledger.fleet.config import registry
from fleetledger.fleet.config.document import Document
from fleetledger.fleet.config.issues import Issue, Path
from fleetledger.fleet.config.shapes import SECRET

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


def issues(document: Document) -> list[Issue]:
    """Every mistake that the schema can see."""
    known = {section.name: section for section in registry.sections()}
    found: list[Issue] = []
    for name, value in document.values.items():
        if name in known:
            if value is not None:
                validator = Draft202012Validator(known[name].shape)
                found += [item for error in validator.iter_errors(value) for item in _issues(document, (name,), error)]
        elif name not in registry.LATER:
            found.append(document.issue((name,), unknown_key(name, [*known, *registry.LATER])))
        elif value:
            sentence = f"'{name}' is not supported by this version yet. Take it out, or leave it empty."
            found.append(document.issue((name,), sentence))
    return found


def unknown_key(name: str, known: list[str]) -> str:
    """'No key is called …' with the known ones, and the one that was meant."""
    close = get_close_matches(name, known, n=1)
    meant = f" Did you mean '{close[0]}'?" if close else ""
    return f"No key is called '{name}'.{meant} Known: {', '.join(known)}."


def _issues(document: Document, base: Path, error: ValidationError) -> Iterator[Issue]:
    path: Path = (*base, *error.absolute_path)
    schema: dict[str, Any] = dict(error.schema) if isinstance(error.schema, Mapping) else {}
    wanted: Any = error.validator_value
    if error.validator == "oneOf" and "x-by" in schema:
        yield from _by_kind(document, path, error.instance, schema)
    elif error.validator == "additionalProperties" and wanted is False:
        known = list(schema["properties"])
        for key in _keys(error):
            if key not in known:
                yield document.issue((*path, key), unknown_key(str(key), known))
    elif error.validator == "required":
        for key in wanted:
            if key not in _keys(error) and f"'{key}' is" in error.message:
                yield document.issue(path, f"'{key}' is missing.")
    else:
        yield document.issue(path, _sentence(error))


def _by_kind(document: Document, path: Path, entry: Any, schema: dict[str, Any]) -> Iterator[Issue]:
    """The mistakes against the one alternative that the entry's own `kind` chooses."""
    discriminator = str(schema["x-by"])
    shapes = {shape["properties"][discriminator]["const"]: shape for shape in schema["oneOf"]}
    if not isinstance(entry, dict):
        yield document.issue(path, "This must be a mapping.")
        return
    kind = entry.get(discriminator)
    shape = shapes.get(kind) if isinstance(kind, str) else None
    if shape is None:
        at = (*path, discriminator) if discriminator in entry else path
        yield document.issue(at, f"'{discriminator}' is one of {', '.join(shapes)}.")
        return
    for inner in Draft202012Validator(shape).iter_errors(entry):
        yield from _issues(document, path, inner)


def _sentence(error: ValidationError) -> str:
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    description = schema.get("description")
    if _is_secret(schema):
        return str(description)
    if any(map(_is_secret, schema.get("anyOf", []))):
        return f"This does not fit. Write: {description}" if description else str(SECRET["description"])
    by_validator = {"enum": _enum, "type": _type, "const": _enum}
    teller = by_validator.get(str(error.validator))
    if teller is not None:
        return teller(error)
    if description:
        return f"{_shown(error.instance)} does not fit. Write: {description}"
    return f"{_shown(error.instance)} does not fit: {error.message[:200]}."


def _enum(error: ValidationError) -> str:
    values = _listed(error.validator_value)
    close = get_close_matches(str(error.instance), [str(value) for value in values], n=1)
    meant = f" Did you mean '{close[0]}'?" if close else ""
    return f"{_shown(error.instance)} is not known.{meant} Known: {', '.join(map(str, values))}."


def _type(error: ValidationError) -> str:
    wanted = _listed(error.validator_value)
    words = _TYPES[next(item for item in wanted if item != "null")]
    hint = " Put it in quotes." if "string" in wanted and isinstance(error.instance, int | float) else ""
    return f"This must be {words}, not {_shown(error.instance)}.{hint}"


def _keys(error: ValidationError) -> list[str]:
    return list(error.instance) if isinstance(error.instance, dict) else []


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_secret(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("description") == SECRET["description"]


def _shown(value: Any) -> str:
    """A value in a sentence; never a long one, and never what may be a secret."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text[:80]}'"
