"""Brings the database to the product's version, then says how the first user is made."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management import CommandError
from django.core.management.base import BaseCommand
from django.db import OperationalError, connection

from fleetledger.fleet import first_setup, tables

PAUSE_S = 1.0


class Command(BaseCommand):
    help = (
        "Waits for the database, migrates it, and prints the path of the one-time set-up link where there are no users."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", type=float, default=60.0, help="seconds to wait for the database (default: 60)")

    def handle(self, *_args: object, **options: Any) -> None:
        _wait_for_database(options["wait"])
        tables.bring_up_to_date(verbosity=options["verbosity"])
        path = first_setup.path()
        if path is not None:
            self.stdout.write(f"set-up-path {path}")


def _wait_for_database(seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection.ensure_connection()
        except OperationalError as error:
            if time.monotonic() >= deadline:
                reason = str(error).strip().splitlines()[0]
                raise CommandError(f"The database does not answer ({reason}): see DATABASE_URL.") from error
            time.sleep(PAUSE_S)
        else:
            return
