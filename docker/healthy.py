"""Says by its exit status whether the part of the product in this container works."""

import os
import socket
import sys
import urllib.request
from collections.abc import Callable

TIMEOUT_S = 4


def web() -> bool:
    """The process answers; whether its database does is asked of /readyz by the load balancer."""
    with urllib.request.urlopen(
        f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/healthz", timeout=TIMEOUT_S
    ) as answer:
        return bool(answer.status == 200)  # noqa: PLR2004 OK


def worker() -> bool:
    """The worker of this container answers over the broker."""
    from fleetledger.celery import app

    return bool(app.control.ping([f"worker@{socket.gethostname()}"], timeout=TIMEOUT_S))


def beat() -> bool:
    """Some beat is live: with several of them one works while the others wait."""
    import redis
    from redbeat.schedulers import RedBeatConfig

    from fleetledger.celery import app

    client = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
    return bool(client.exists(RedBeatConfig(app).lock_key))


def notifier() -> bool:
    """The notifier of this container looks at its doorbell each second; the database sees that."""
    import psycopg

    name = f"fleetledger notifier {socket.gethostname()}"[:63]
    asked = "SELECT max(query_start) > now() - interval '30 s' FROM pg_stat_activity WHERE application_name = %s"
    with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=TIMEOUT_S) as connection:
        row = connection.execute(asked, (name,)).fetchone()
    return bool(row and row[0])


PARTS: dict[str, Callable[[], bool]] = {"web": web, "worker": worker, "beat": beat, "notifier": notifier}

if __name__ == "__main__":
    sys.exit(0 if PARTS[sys.argv[1]]() else 1)
