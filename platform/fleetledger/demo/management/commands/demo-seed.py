"""The command `demo-seed`: fills this installation with the demo; run again, it adds what is missing."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from costs.errors import CostsError
from fleetledger.demo import contacts, logins, seed
from fleetledger.fleet.errors import FleetError


class Command(BaseCommand):
    help = "Fills this installation with the simulated fleet's configuration, people, history and bills."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=seed.DEFAULT_PORT, help="where demo-world listens")
        parser.add_argument("--days", type=int, default=90, help=f"of history, up to {seed.MOST_DAYS}")

    def handle(self, *, port: int, days: int, **options: Any) -> None:
        del options
        if not 1 <= days <= seed.MOST_DAYS:
            raise CommandError(f"--days is 1 to {seed.MOST_DAYS}: the simulated fleet remembers no more.")
        started = time.monotonic()
        try:
            now = timezone.now()
            seed.configure(port, now)
            for login in logins.make():
                self._say(str(login))
            contacts.make(port, now)
            seed.fill_history(now, days, self._say)
            seed.import_bills(now, days, self._say)
        except (FleetError, CostsError) as error:
            raise CommandError(str(error)) from error
        self._say(f"The demo is complete after {time.monotonic() - started:.0f} s.")

    @staticmethod
    def _say(sentence: str) -> None:
        print(sentence, flush=True)
