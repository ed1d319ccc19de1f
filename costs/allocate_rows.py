"""The bill rows of one rounding set as the allocation reads them: streamed in a stable order, by node or by tags."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from costs.allocate_shares import MatchedNode
from costs.models import Basis, DeliveryPart
from costs.sources.values import last_segment
from fleetledger.fleet.models import Node

FETCH = 10_000
_ROWS = (
    "SELECT b.id, b.line, b.{column}, b.charge_start_at, b.charge_end_at, r.segment, r.tags, r.resource_type"
    " FROM costs_billrow b JOIN costs_billedresource r ON r.id = b.resource_id WHERE {live}"
)


class Row(NamedTuple):
    """A live bill row. `name` is delivery and line; `amount` is of the source's basis."""

    id: int
    name: str
    amount: Decimal
    start: datetime
    end: datetime
    segment: str
    tags: str
    resource_type: str


class SetRows:
    """The rows of some parts of deliveries."""

    def __init__(self, parts: Sequence[DeliveryPart], basis: Basis) -> None:
        self._parts = [part.pk for part in parts]
        self._deliveries = {part.delivery_id: part.delivery.sha256 for part in parts}
        self._column = "billed" if basis is Basis.BILLED else "effective"
        self.row_count = sum(part.row_count for part in parts)

    def matched_nodes(self) -> dict[str, MatchedNode]:
        """Nodes with GPUs whose provider id ends as a row's ResourceId does, by that ending.

        Of several with one ending the one that is not retired wins, then the older.
        """
        known: dict[str, Node] = {}
        nodes = Node.objects.exclude(provider_id="").exclude(gpus=0).select_related("cluster")
        for node in sorted(nodes, key=lambda node: (node.retired_at is not None, node.pk)):
            known.setdefault(last_segment(node.provider_id), node)
        sql = (
            "SELECT DISTINCT r.segment FROM costs_billrow b JOIN costs_billedresource r ON r.id = b.resource_id"
            " WHERE {live} AND r.segment = ANY(%(segments)s)"
        )
        with connection.cursor() as cursor:
            cursor.execute(self._sql(sql), self._values(segments=list(known)))
            found = sorted(segment for (segment,) in cursor.fetchall() if segment)
        return {
            segment: MatchedNode(node.pk, node.name, node.cluster.name, node.gpus)
            for segment, node in ((segment, known[segment]) for segment in found)
        }

    def span(self, segments: list[str]) -> tuple[datetime, datetime] | None:
        """From the first charge's start to the last one's end, of rows of these nodes."""
        sql = (
            "SELECT min(b.charge_start_at), max(b.charge_end_at) FROM costs_billrow b"
            " JOIN costs_billedresource r ON r.id = b.resource_id WHERE {live} AND r.segment = ANY(%(segments)s)"
        )
        with connection.cursor() as cursor:
            cursor.execute(self._sql(sql), self._values(segments=segments))
            start, end = cursor.fetchone()
        return None if start is None else (start, end)

    def of_segments(self, segments: list[str]) -> Iterator[Row]:
        return self._stream("r.segment = ANY(%(segments)s)", segments)

    def of_no_node(self, segments: list[str]) -> Iterator[Row]:
        return self._stream("NOT r.segment = ANY(%(segments)s)", segments)

    def _stream(self, condition: str, segments: list[str]) -> Iterator[Row]:
        """Rows in the order of deliveries' hashes and lines; a cursor of the server keeps memory bounded."""
        sql = f"{_ROWS} AND {condition} ORDER BY b.id"
        for delivery_id in sorted(self._deliveries, key=lambda pk: self._deliveries[pk]):
            sha256 = self._deliveries[delivery_id]
            with connection.chunked_cursor() as cursor:
                cursor.execute(self._sql(sql), self._values(segments=segments, delivery=delivery_id))
                while rows := cursor.fetchmany(FETCH):
                    for row_id, line, amount, start, end, segment, tags, kind in rows:
                        yield Row(row_id, f"{sha256}:{line}", amount, start, end, segment, tags, kind)

    def _sql(self, sql: str) -> str:
        live = "b.part_id = ANY(%(parts)s) AND b.id >= %(first)s::bigint << 32 AND b.id < (%(last)s::bigint + 1) << 32"
        return sql.format(live=live, column=self._column)

    def _values(self, *, segments: list[str], delivery: int | None = None) -> dict[str, Any]:
        return {
            "parts": self._parts,
            "segments": segments,
            "first": delivery if delivery is not None else min(self._deliveries),
            "last": delivery if delivery is not None else max(self._deliveries),
        }
