"""Gives back acknowledgements that are older than the escalation lets them be, so that the escalation goes on."""

from datetime import datetime

from django.db import connection, transaction

from monitoring.alerts import clock
from monitoring.alerts.escalation import runs, said
from monitoring.alerts.models import Alert, Episode, EventKind

# Of several escalations the shortest counts.
_OVER = """
SELECT episode.id, min(run.acknowledge_timeout_s)
FROM alerts_episode AS episode
JOIN alerts_runepisode AS member ON member.episode_id = episode.id
JOIN alerts_run AS run ON run.id = member.run_id
WHERE episode.ended_at IS NULL AND episode.acknowledged_at IS NOT NULL AND run.acknowledge_timeout_s IS NOT NULL
GROUP BY episode.id
HAVING episode.acknowledged_at + min(run.acknowledge_timeout_s) * interval '1 second' <= %s
ORDER BY episode.id LIMIT 200
"""


def expire_acknowledgements(now: datetime) -> int:
    """Give back what is over by `now`; gives how many."""
    with connection.cursor() as cursor:
        cursor.execute(_OVER, [now])
        over = dict(cursor.fetchall())
    return _give_back(over) if over else 0


@transaction.atomic
def _give_back(over: dict[int, float]) -> int:
    rows = Episode.objects.select_for_update(no_key=True, skip_locked=True).filter(
        pk__in=over, ended_at__isnull=True, acknowledged_at__isnull=False
    )
    now = clock.now()
    given = [
        row
        for row in rows.order_by("pk")
        if row.acknowledged_at and (now - row.acknowledged_at).total_seconds() >= over[row.pk]
    ]
    teams = dict(Alert.objects.filter(pk__in=[row.alert_id for row in given]).values_list("pk", "team_id"))
    for row in given:
        row.acknowledged_at = row.acknowledged_by = None
        words = f"Nobody resolved it within {over[row.pk] / 60:g} minutes of the acknowledgement."
        said.note([row], EventKind.TIMED_OUT, now, words, teams[row.alert_id])
    Episode.objects.bulk_update(given, ["acknowledged_at", "acknowledged_by"])
    runs.resume(given, now)
    clock.ring()
    return len(given)
