"""Reads files of objectives into their documents, each with its lines: several in a file, or a list of them."""

import re
from collections.abc import Iterator

from fleetledger.fleet.config import document
from fleetledger.fleet.config.document import Document
from fleetledger.fleet.config.issues import ConfigError, Issue, Place

MOST_CHARACTERS = 1_000_000
MOST_DOCUMENTS = 1_000
ITEMS = "items"
_SEPARATOR = re.compile(r"^(---|\.\.\.)(?=\s|$)", re.MULTILINE)
_LIST = re.compile(r"\A(?:[ \t]*(?:#[^\n]*)?\n)*-(?=\s)")
KINDS = "This is neither OpenSLO (apiVersion: openslo/v1) nor Sloth (version: prometheus/v1)."


def documents(file: str, text: str) -> list[Document]:
    """Every document that holds something, each scalar as a text; raises ConfigError with the lines of the file."""
    if len(text) > MOST_CHARACTERS:
        raise ConfigError([Issue(Place(file, 1), (), "The file is longer than a million characters.")])
    found = [part for start, chunk in _chunks(text) if (part := _read(file, chunk, start)).values]
    if not found:
        raise ConfigError([Issue(Place(file, 1), (), f"There is nothing in it. {KINDS}")])
    if len(found) > MOST_DOCUMENTS:
        raise ConfigError([Issue(Place(file, 1), (), f"It holds more than {MOST_DOCUMENTS:,} documents. Split it.")])
    return found


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    """The text between separators, each with the number of lines before it."""
    at = lines = 0
    for separator in _SEPARATOR.finditer(text):
        yield lines, text[at : separator.start()]
        lines += text.count("\n", at, separator.end())
        at = separator.end()
    yield lines, text[at:]


def _read(file: str, text: str, lines: int) -> Document:
    """A list of objects is read as one document with `items`."""
    is_list = _LIST.match(text) is not None
    shift = lines - 1 if is_list else lines
    try:
        found = document.read_as_texts(file, f"{ITEMS}:\n{text}" if is_list else text)
    except ConfigError as error:
        raise ConfigError(
            Issue(_moved(issue.place, shift), issue.path, issue.sentence) for issue in error.issues
        ) from error
    found.places = {path: _moved(place, shift) for path, place in found.places.items()}
    return found


def _moved(place: Place, lines: int) -> Place:
    return Place(place.file, max(place.line + lines, 1))
