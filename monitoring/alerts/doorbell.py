"""A database connection of its own that hears the doorbell; each look at it also tells others that we live."""

import socket
import threading
import time
from typing import Self

import psycopg
from django.db import connection

from monitoring.alerts.clock import DOORBELL

NAME = "fleetledger notifier"
SLICE_S = 0.2  # how soon an end is noticed
_WIDTH = 63  # PostgreSQL's limit for an application's name
# a server that vanished without a word is noticed in seconds; on a socket these mean nothing
_NOTICE = {"keepalives_idle": 5, "keepalives_interval": 3, "keepalives_count": 3, "tcp_user_timeout": 10_000}


class Doorbell:
    """Connects when it is first waited for, and again after each failure."""

    def __init__(self) -> None:
        self._listening: psycopg.Connection[tuple[object, ...]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self, seconds: float, ending: threading.Event) -> bool:
        """Sleep until somebody rings or it ends, at most so long; whether somebody rang. Raises psycopg.Error."""
        ends_at = time.monotonic() + seconds
        try:
            found = self._listening or self._listen()
            found.execute("SELECT 1")
            while not ending.is_set() and (left_s := ends_at - time.monotonic()) > 0:
                if any(found.notifies(timeout=min(left_s, SLICE_S), stop_after=1)):
                    return True
        except psycopg.Error:
            self.close()
            raise
        return False

    def close(self) -> None:
        if self._listening is not None:
            self._listening.close()
        self._listening = None

    def _listen(self) -> psycopg.Connection[tuple[object, ...]]:
        parameters = {**connection.get_connection_params(), **_NOTICE, "application_name": name()}
        found = self._listening = psycopg.connect(**parameters, autocommit=True)
        found.execute(f"LISTEN {DOORBELL}")
        return found


def name() -> str:
    """By which name the database knows the notifier of this machine."""
    return f"{NAME} {socket.gethostname()}"[:_WIDTH]
