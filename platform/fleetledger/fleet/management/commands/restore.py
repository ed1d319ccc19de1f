"""The command `restore FILE`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand

from fleetledger.fleet import dumps


class Command(BaseCommand):
    help = "Puts a backup in the place of everything that is in the database, then migrates it to this version."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a file that `backup` wrote")
        parser.add_argument("--replace", action="store_true", help="lose what is in the database now")

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            dumps.restore(options["file"], replace=options["replace"])
        except (dumps.DumpError, OSError) as error:
            raise CommandError(str(error)) from error
        call_command("migrate", interactive=False, verbosity=0)
        self.stdout.write(f"Restored {options['file']}.")
