"""Who reports alerts, how often each repeats itself, and since when without a silence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from urllib.parse import urlsplit

from django.db import connection

from fleetledger.fleet.models import ApiToken

DEFAULT_INTERVAL_S = 60.0
SHORTEST_S = 0.5
GAPS_KEPT = 9
OUR_OWN = "fleetledger:"  # our own parts never fall silent: what they reported last holds
_NOTICEABLE = 0.1

_SEEN = """
INSERT INTO alerts_sender AS s
  (team_id, key, token_id, first_seen_at, last_seen_at, streak_at, gaps_s, interval_s)
SELECT %(team)s, %(key)s, %(token)s, t.now, t.now, t.now, '{}', %(interval)s FROM (SELECT app_now() AS now) t
ON CONFLICT (team_id, key) DO UPDATE SET
  last_seen_at = excluded.last_seen_at,
  token_id = excluded.token_id,
  streak_at = CASE WHEN excluded.last_seen_at - s.last_seen_at > s.interval_s * interval '2 seconds'
              THEN excluded.last_seen_at ELSE s.streak_at END
RETURNING id, last_seen_at, interval_s, gaps_s
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A sender that reports at `now`, the database's clock."""

    sender_id: int
    now: datetime
    interval_s: float
    gaps_s: tuple[float, ...]


def key_of(token: ApiToken | None, generator_url: str, client_address: str) -> str:
    """The token with the origin of the generator's address, else the client's: two replicas are two senders."""
    parts = urlsplit(generator_url)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else client_address
    return f"{token.prefix if token else '-'} {origin}"[:400]


def seen(team_id: int | None, key: str, token: ApiToken | None = None) -> Seen:
    """Note that this sender reports now."""
    values = {"team": team_id, "key": key, "token": token.pk if token else None, "interval": DEFAULT_INTERVAL_S}
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, values)
        row = cursor.fetchone()
    assert row is not None  # noqa: S101 an upsert returns its row
    return Seen(row[0], row[1], row[2], tuple(row[3]))


def learn(sender: Seen, gaps: Sequence[timedelta]) -> None:
    """Take the median time between two reports of the same alert into the sender's interval."""
    if not gaps:
        return
    kept = (*sender.gaps_s, max(median(gap.total_seconds() for gap in gaps), SHORTEST_S))[-GAPS_KEPT:]
    interval_s = median(kept)
    if len(sender.gaps_s) >= GAPS_KEPT and abs(interval_s - sender.interval_s) < sender.interval_s * _NOTICEABLE:
        return  # nothing new: a write less for each report
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE alerts_sender SET gaps_s = %s, interval_s = %s WHERE id = %s",
            [list(kept), interval_s, sender.sender_id],
        )
