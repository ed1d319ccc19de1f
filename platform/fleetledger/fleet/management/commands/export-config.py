"""The command `export-config`."""

from argparse import ArgumentParser
from typing import Any

from fleetledger.fleet import config
from fleetledger.fleet.commands import SentenceCommand, as_json


class Command(SentenceCommand):
    help = "Writes what is stored as the configuration file that applies as no change."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--schema", action="store_true", help="write the file's JSON Schema instead")

    def act(self, options: dict[str, Any]) -> str:
        return as_json(config.json_schema()) if options["schema"] else config.export().rstrip("\n")
