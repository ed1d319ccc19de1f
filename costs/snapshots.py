"""Snapshots of a bill: control totals, what a new one changed, and which rows are live."""

import uuid

from django.db import connection

from costs.models import Delivery, DeliveryMode

_TOTAL_UP = """
UPDATE costs_deliverypart p
SET row_count = t.rows, billed = t.billed, effective = t.effective
FROM (
    SELECT part_id, count(*) AS rows, sum(billed) AS billed, COALESCE(sum(effective), 0) AS effective
    FROM costs_billrow WHERE id >= %(delivery)s::bigint << 32 AND id < (%(delivery)s::bigint + 1) << 32
    GROUP BY part_id
) t
WHERE p.id = t.part_id
"""
_FORMER = """
    SELECT p.id, p.delivery_id, p.period, p.currency
    FROM costs_deliverypart p JOIN costs_delivery d ON d.id = p.delivery_id
    WHERE d.source_id = %(source)s AND d.batch <> %(batch)s AND d.state = 'imported' AND p.superseded_by_id IS NULL
        AND p.period IN (SELECT period FROM costs_deliverypart WHERE delivery_id = %(delivery)s)
"""
_DIFFERENCE = f"""
WITH former AS ({_FORMER}),
before AS (
    SELECT f.period, f.currency, b.fingerprint, count(*) AS rows, min(b.billed) AS billed
    FROM former f JOIN costs_billrow b
        ON b.id >= f.delivery_id << 32 AND b.id < (f.delivery_id + 1) << 32 AND b.part_id = f.id
    GROUP BY 1, 2, 3
),
after AS (
    SELECT p.period, p.currency, b.fingerprint, count(*) AS rows, min(b.billed) AS billed
    FROM costs_deliverypart p JOIN costs_billrow b
        ON b.id >= p.delivery_id << 32 AND b.id < (p.delivery_id + 1) << 32 AND b.part_id = p.id
    WHERE p.delivery_id = %(delivery)s
    GROUP BY 1, 2, 3
)
INSERT INTO costs_snapshotdifference
    (delivery_id, period, currency, unchanged_rows, added_rows, added_billed, removed_rows, removed_billed)
SELECT %(delivery)s, COALESCE(a.period, o.period), COALESCE(a.currency, o.currency),
    sum(LEAST(COALESCE(a.rows, 0), COALESCE(o.rows, 0))),
    sum(GREATEST(COALESCE(a.rows, 0) - COALESCE(o.rows, 0), 0)),
    COALESCE(sum(GREATEST(COALESCE(a.rows, 0) - COALESCE(o.rows, 0), 0) * a.billed), 0),
    sum(GREATEST(COALESCE(o.rows, 0) - COALESCE(a.rows, 0), 0)),
    COALESCE(sum(GREATEST(COALESCE(o.rows, 0) - COALESCE(a.rows, 0), 0) * o.billed), 0)
FROM after a FULL JOIN before o USING (period, currency, fingerprint)
GROUP BY 2, 3
"""  # noqa: S608 our own text
_SUPERSEDE = f"""
UPDATE costs_deliverypart SET superseded_by_id = %(delivery)s WHERE id IN (SELECT id FROM ({_FORMER}) former)
"""  # noqa: S608 our own text


def total_up(delivery: Delivery) -> None:
    """Write the control totals of the delivery's parts from its rows."""
    with connection.cursor() as cursor:
        cursor.execute(_TOTAL_UP, {"delivery": delivery.pk})


def replace_former(delivery: Delivery) -> None:
    """Let an overwriting delivery replace the former snapshot of its periods, and note the multiset difference.

    Files of the same batch are one snapshot in several files: they stand side by side.
    """
    if delivery.mode != DeliveryMode.OVERWRITE:
        return
    values: dict[str, int | uuid.UUID] = {
        "delivery": delivery.pk,
        "source": delivery.source_id,
        "batch": delivery.batch,
    }
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS ({_FORMER})", values)
        if not cursor.fetchone()[0]:
            return
        cursor.execute(_DIFFERENCE, values)
        cursor.execute(_SUPERSEDE, values)
