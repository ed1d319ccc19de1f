"""Codes for the dimensions of bill rows: each combination of texts is kept once per source."""

import hashlib
from collections.abc import Mapping
from typing import ClassVar

import pyarrow as pa
from django.db import connection
from orjson import dumps

from costs.sources import keys
from costs.sources.keys import Keys
from costs.sources.values import last_segment, text_or_empty

CACHED_KEYS = 200_000


class Codes:
    """Takes keys (texts of the present columns) to ids of `table`, making the rows that are not there yet.

    One import per source runs at a time (`ingest` holds a lock), so that nobody else adds rows between look-up and
    insert. The cache is emptied when it is full: memory stays bounded, and the digest finds the ids again.
    """

    table: ClassVar[str] = ""

    def __init__(self, source_id: int, present: tuple[str, ...], fields: Mapping[str, str]) -> None:
        self._source_id = source_id
        self._fields = tuple(fields.values())
        self._places = tuple(present.index(column) if column in present else None for column in fields)
        self._present_count = len(present)
        self._known: dict[str, int] = {}

    def ids(self, found: Keys) -> pa.Array:
        """The id of each row's key."""
        if len(self._known) > CACHED_KEYS:
            self._known.clear()
        unknown = [key for key in found.distinct if key not in self._known]
        if unknown:
            self._learn(unknown)
        return pa.array(map(self._known.__getitem__, found.distinct), pa.int64()).take(found.codes)

    def _learn(self, unknown: list[str]) -> None:
        texts = {key: self._texts(keys.split(key, self._present_count)) for key in unknown}
        digests = {
            key: hashlib.md5(keys.joined(each).encode(), usedforsecurity=False).hexdigest()
            for key, each in texts.items()
        }
        found = self._find(set(digests.values()))
        new = {digest: texts[key] for key, digest in digests.items() if digest not in found}
        if new:
            found |= self._insert(new)
        self._known |= {key: found[digest] for key, digest in digests.items()}

    def _texts(self, given: list[str]) -> tuple[str, ...]:
        return tuple("" if place is None else text_or_empty(given[place]) for place in self._places)

    def _find(self, digests: set[str]) -> dict[str, int]:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT encode(digest, 'hex'), id FROM {self.table} WHERE source_id = %s AND digest = ANY("  # noqa: S608 a constant of ours
                "ARRAY(SELECT decode(value, 'hex') FROM json_array_elements_text(%s::json)))",
                [self._source_id, dumps(list(digests)).decode()],
            )
            return dict(cursor.fetchall())

    def _insert(self, new: dict[str, tuple[str, ...]]) -> dict[str, int]:
        """One statement for all: JSON, because it is written and read at ten times the speed of arrays of text."""
        columns = [*self._fields, *self.derived_fields()]
        records = [
            {"digest": digest} | dict(zip(columns, (*texts, *self.derive(texts)), strict=True))
            for digest, texts in new.items()
        ]
        typed = ", ".join(f"{column} text" for column in columns)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {self.table} (source_id, digest, {', '.join(columns)}) "  # noqa: S608 constants of ours
                f"SELECT %s, decode(digest, 'hex'), {', '.join(columns)} "
                f"FROM json_to_recordset(%s::json) AS each (digest text, {typed}) "
                "RETURNING encode(digest, 'hex'), id",
                [self._source_id, dumps(records).decode()],
            )
            return dict(cursor.fetchall())

    def derived_fields(self) -> tuple[str, ...]:
        return ()

    def derive(self, texts: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG002 for those that derive something
        return ()


class ChargeCodes(Codes):
    table = "costs_billedcharge"


class ResourceCodes(Codes):
    """Resources also keep the last segment of their id, by which a node is found."""

    table = "costs_billedresource"

    def derived_fields(self) -> tuple[str, ...]:
        return ("segment",)

    def derive(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        return (last_segment(texts[self._fields.index("resource_id")]),)
