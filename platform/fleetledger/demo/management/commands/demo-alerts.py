"""The command `demo-alerts`: sends the simulated fleet's alerts to this installation, as its Prometheus would."""

import json
import signal
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from fleetledger.demo import alerting
from fleetledger.demo.world import World
from fleetledger.fleet import tokens
from fleetledger.fleet.models import ApiToken

NAME = "demo prometheus"
EVERY_S = 30.0
BODY = 64


class Command(BaseCommand):
    help = "Sends the simulated fleet's alerts to this installation every half minute, until it is stopped."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="send what fires now, then end")

    def handle(self, *, once: bool, **options: Any) -> None:
        del options
        ending = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ending.set())
        token = _token()
        world = World()
        while True:
            _send(alerting.firing(world, datetime.now(UTC)), token)
            if once or ending.wait(EVERY_S):
                return


def _token() -> str:
    """A new one at each start: only its digest is kept, so the last start's cannot be had again."""
    for old in ApiToken.objects.filter(name=NAME, revoked_at=None):
        tokens.revoke(old)
    return tokens.create(NAME, ["write:alerts"]).secret


def _send(alerts: list[dict[str, Any]], token: str) -> None:
    """What cannot be sent now is sent with the next turn, as Prometheus does."""
    url = f"{settings.BASE_URL.rstrip('/')}/t/platform/api/v2/alerts"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for start in range(0, len(alerts), BODY):
        body = json.dumps(alerts[start : start + BODY]).encode()
        request = urllib.request.Request(url, body, headers)  # noqa: S310 our own address
        try:
            with urllib.request.urlopen(request, timeout=10):  # noqa: S310 our own address
                pass
        except (urllib.error.URLError, OSError) as error:
            print(f"The alerts were not taken in ({error}); they are sent again in {EVERY_S:.0f} s.", flush=True)
            return
