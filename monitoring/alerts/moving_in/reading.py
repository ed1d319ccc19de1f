"""Reads an alertmanager.yml, and refuses one that Alertmanager would not start with by its lines."""

from collections.abc import Iterator
from itertools import islice

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from fleetledger.fleet.config import document
from fleetledger.fleet.config.document import Document
from fleetledger.fleet.config.issues import ConfigError, Issue, Path, Place
from monitoring.alerts.moving_in import shapes

MOST_CHARACTERS = 1_000_000
MOST_ISSUES = 20
NO_ROUTE = "This is no alertmanager.yml: 'route' is missing, which says who is told."
KINDS = {"object": "a mapping", "array": "a list", "string": "a text"}


def read(text: str, file: str) -> Document:
    """The file with each scalar as a text; raises ConfigError, whose sentences show no value: it may be a secret."""
    if len(text) > MOST_CHARACTERS:
        raise ConfigError([Issue(Place(file, 1), (), "The file is longer than a million characters.")])
    found = document.read_as_texts(file, text)
    if not isinstance(found.values.get("route"), dict):
        raise ConfigError([found.issue((), NO_ROUTE)])
    refuse(found.issue(path, sentence) for path, sentence in _mistakes(found))
    return found


def refuse(issues: Iterator[Issue]) -> None:
    """Raise ConfigError for the first issues, if there are any."""
    first = list(islice(issues, MOST_ISSUES))
    if first:
        raise ConfigError(first)


def _mistakes(found: Document) -> Iterator[tuple[Path, str]]:
    for error in Draft202012Validator(shapes.FILE).iter_errors(found.values):
        yield from _mistakes_of(error)


def _mistakes_of(error: ValidationError) -> Iterator[tuple[Path, str]]:
    path: Path = tuple(error.absolute_path)
    schema = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "required":
        missing = [key for key in schema["required"] if isinstance(error.instance, dict) and key not in error.instance]
        yield from ((path, f"'{key}' is missing here.") for key in missing[:1])
    else:
        wanted = schema.get("description") or KINDS.get(str(schema.get("type")), "something else")
        named = [part for part in path if isinstance(part, str)]
        is_entry = bool(path) and isinstance(path[-1], int)
        yield path, f"{'An entry of ' if is_entry else ''}'{named[-1] if named else 'route'}' must be {wanted}."
