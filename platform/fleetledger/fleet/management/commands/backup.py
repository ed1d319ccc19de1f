"""The command `backup FILE`."""

import time
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management import CommandError
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from fleetledger.fleet import dumps, ports


class Command(BaseCommand):
    help = "Writes the whole database into one new file; everything may go on running meanwhile."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a file that does not exist yet")

    def handle(self, *_args: object, **options: Any) -> None:
        began = time.monotonic()
        try:
            size_bytes = dumps.back_up(options["file"])
        except (dumps.DumpError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Wrote {options['file']} ({size_bytes / 1e6:.1f} MB).")
        try:
            ports.tell_backed_up(timedelta(seconds=time.monotonic() - began))
        except DatabaseError as error:  # it is whole all the same
            first = str(error).strip().partition("\n")[0]
            self.stderr.write(f"The status page does not know of it, for the database refused: {first}")
