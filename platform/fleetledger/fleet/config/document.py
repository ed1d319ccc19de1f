"""Reads YAML files into one plain document that knows on which line each key stands."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import yaml

from fleetledger.fleet.config.issues import ConfigError, Issue, Path, Place

MAX_NODES = 200_000
MAX_DEPTH = 40
MAX_CHARACTERS = 2_000_000  # with aliases written out
TOO_LARGE = "The file is too deep or too large. Split it."
_NULL, _MERGE = "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_Pair = tuple[yaml.Node, yaml.Node]


@dataclass(slots=True)
class Document:
    """`values` by section, lists of several files joined; `places` by path."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[Path, Place] = field(default_factory=dict)

    def place(self, path: Path) -> Place:
        """Where `path` stands, or the nearest thing around it."""
        for length in range(len(path), -1, -1):
            known = self.places.get(path[:length])
            if known is not None:
                return known
        return Place("configuration", 1)

    def issue(self, path: Path, sentence: str) -> Issue:
        return Issue(self.place(path), path, sentence)


def read(texts: Iterable[tuple[str, str]]) -> Document:
    """One document from (file name, text) pairs; raises ConfigError."""
    document = Document()
    for file, text in texts:
        _join(document, _Reader(file).read(text))
    return document


def read_as_texts(file: str, text: str) -> Document:
    """Another program's file: each scalar as it stands there, `null` as nothing, `<<` merged; raises ConfigError."""
    return _TextReader(file).read(text)


def _join(document: Document, part: Document) -> None:
    """Lists of the same section follow one another; anything else may stand in one file only."""
    for section, value in part.values.items():
        known = document.values.get(section)
        shift = 0
        if isinstance(known, list) and isinstance(value, list):
            shift = len(known)
            document.values[section] = known + value
        elif known is None:
            document.values[section] = value
        elif value is not None:
            raise ConfigError([part.issue((section,), "This section stands in another file already.")])
        _take_places(document, part, section, shift)
    document.places.setdefault((), part.place(()))


def _take_places(document: Document, part: Document, section: str, shift: int) -> None:
    for path, place in part.places.items():
        if path[:1] == (section,):
            moved = path
            if shift and len(path) > 1 and isinstance(path[1], int):
                moved = (section, path[1] + shift, *path[2:])
            document.places.setdefault(moved, place)


class _Reader:
    """Turns one file's nodes into plain values, and notes their lines."""

    no_mapping = "The file holds sections such as 'teams:', nothing else."

    def __init__(self, file: str) -> None:
        self._file = file
        self._seen = 0
        self._document = Document()

    def read(self, text: str) -> Document:
        try:
            return self._read(text)
        except yaml.YAMLError as error:
            raise ConfigError([self._syntax_issue(error)]) from error
        except RecursionError as error:
            raise ConfigError([Issue(Place(self._file, 1), (), TOO_LARGE)]) from error

    def _read(self, text: str) -> Document:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None:
            self._document.places[()] = Place(self._file, 1)
            return self._document
        if not isinstance(root, yaml.MappingNode):
            raise ConfigError([Issue(self._at(root), (), self.no_mapping)])
        self._document.places[()] = self._at(root)
        self._document.values = self._mapping(root, ())
        return self._document

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self._check_text(node, path)
        self._count(1, node, path)
        self._document.places.setdefault(path, self._at(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in self._pairs(node, path):
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigError([Issue(self._at(key_node), path, "A key is a word.")])
            self._check_text(key_node, path)
            key = str(key_node.value)
            if key in values:
                raise ConfigError([Issue(self._at(key_node), (*path, key), "This key stands twice.")])
            self._document.places[(*path, key)] = self._at(key_node)
            values[key] = self._value(value_node, (*path, key))
        return values

    def _pairs(self, node: yaml.MappingNode, path: Path) -> Sequence[_Pair]:  # noqa: ARG002 for those who merge
        found: Sequence[_Pair] = node.value
        return found

    def _count(self, nodes: int, node: yaml.Node, path: Path) -> None:
        self._seen += nodes
        if self._seen > MAX_NODES or len(path) > MAX_DEPTH:
            raise ConfigError([Issue(self._at(node), path, TOO_LARGE)])

    def _check_text(self, node: yaml.Node, path: Path) -> None:
        """Escapes can write what no database stores: NUL, and halves of characters."""
        if isinstance(node, yaml.ScalarNode) and _UNSTORABLE.search(node.value):
            raise ConfigError([Issue(self._at(node), path, "This text holds a character that cannot be stored.")])

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        try:
            value = yaml.SafeLoader("").construct_object(node)
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            sentence = f"'{node.value}' cannot be read. Put it in quotes if it is a text."
            raise ConfigError([Issue(self._at(node), path, sentence)]) from error
        if isinstance(value, datetime | date):
            return value.isoformat()
        return value

    def _at(self, node: yaml.Node) -> Place:
        return Place(self._file, node.start_mark.line + 1)

    def _syntax_issue(self, error: yaml.YAMLError) -> Issue:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        return Issue(Place(self._file, line), (), f"This is no YAML: {problem}.")


class _TextReader(_Reader):
    """Guesses no kinds: `yes` and 09:00 are texts wherever the other program takes them for such."""

    no_mapping = "The file must hold keys with values, and holds none."

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self._characters = 0

    def _scalar(self, node: yaml.Node, path: Path) -> str:
        if node.tag == _NULL:
            return ""
        self._characters += len(node.value)
        if self._characters > MAX_CHARACTERS:
            raise ConfigError([Issue(self._at(node), path, TOO_LARGE)])
        return str(node.value)

    def _pairs(self, node: yaml.MappingNode, path: Path) -> Sequence[_Pair]:
        """The mapping's own keys, then those that it merges in."""
        pairs = [pair for pair in node.value if pair[0].tag != _MERGE]
        known = {str(key.value) for key, _ in pairs}
        for item in (value for key, value in node.value if key.tag == _MERGE):
            for one in item.value if isinstance(item, yaml.SequenceNode) else [item]:
                if not isinstance(one, yaml.MappingNode):
                    raise ConfigError([Issue(self._at(item), (*path, "<<"), "'<<' merges in a mapping.")])
                merged = [pair for pair in self._pairs(one, path) if str(pair[0].value) not in known]
                self._count(len(merged), one, path)
                known |= {str(key.value) for key, _ in merged}
                pairs += merged
        return pairs
