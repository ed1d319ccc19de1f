"""Nightly upkeep: does time add up, and which facts may go."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from fleetledger.lib.buckets import DAY, Window, floor
from monitoring.telemetry import partitions, scrapes
from monitoring.telemetry.models import IdentityCheck

FACTS_KEPT = timedelta(days=14)
CHECKED_DAYS = 2

PER_GPU = """
WITH lived AS (
    SELECT g.id, (extract(epoch FROM least(%(end)s, s.watermark_at, g.retired_at)
        - greatest(%(start)s, g.first_sample_at)) * 1000000)::bigint AS us
    FROM fleet_gpu g JOIN fleet_source s ON s.id = g.source_id
    WHERE g.first_sample_at IS NOT NULL AND s.watermark_at IS NOT NULL
), counted AS (
    SELECT gpu_id, sum(allocated_us) AS allocated, sum(unallocated_us) AS unallocated, sum(unknown_us) AS unknown
    FROM telemetry_gpuhour WHERE bucket >= %(start)s AND bucket < %(end)s GROUP BY 1
)
SELECT count(*), coalesce(sum(l.us), 0), coalesce(sum(c.allocated), 0), coalesce(sum(c.unallocated), 0),
    coalesce(sum(c.unknown), 0),
    count(*) FILTER (WHERE l.us <> coalesce(c.allocated + c.unallocated + c.unknown, 0))
FROM lived l LEFT JOIN counted c ON c.gpu_id = l.id WHERE l.us > 0
"""


def check_identity(now: datetime) -> str:
    """Check the last days, keep what came out, and say it."""
    today = floor(now, DAY)
    said = []
    for back in range(CHECKED_DAYS, 0, -1):
        day = Window(today - back * DAY, today - (back - 1) * DAY)
        said.append(_check(day, now))
    return " ".join(said)


def drop_old_facts(now: datetime) -> str:
    """Drop days of facts older than two weeks; what they say is in hours already. Old scrapes go too."""
    with transaction.atomic():
        dropped = partitions.drop_facts_before(now - FACTS_KEPT)
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM telemetry_reading WHERE bucket < %s AND last_counter_at IS NULL", [now - FACTS_KEPT]
            )
    forgotten = scrapes.drop_before(now)
    return f"Dropped {len(dropped)} days of facts and {forgotten} scrapes."


def _check(day: Window, now: datetime) -> str:
    with connection.cursor() as cursor:
        cursor.execute(PER_GPU, {"start": day.start, "end": day.end})
        gpus, existence, allocated, unallocated, unknown, off = (int(value) for value in cursor.fetchone())
    on = day.start.date()
    IdentityCheck.objects.update_or_create(
        day=on,
        defaults={
            "checked_at": now,
            "gpus": gpus,
            "existence_us": existence,
            "allocated_us": allocated,
            "unallocated_us": unallocated,
            "unknown_us": unknown,
            "gpus_off": off,
        },
    )
    difference_us = existence - allocated - unallocated - unknown
    return f"{on}: adds up." if not off else f"{on}: {off} GPUs are off by {abs(difference_us) / 1_000_000:.6f} s."
