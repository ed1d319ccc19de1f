"""The command `import-alertmanager FILE`."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from fleetledger.fleet import config
from fleetledger.fleet.commands import SentenceCommand, as_json, text_of
from monitoring.alerts.moving_in import Converted, convert

OWNER_ONLY = 0o600
SECRETS_FILE = "--secrets-file"


class Command(SentenceCommand):
    help = "Takes over an alertmanager.yml: routes, receivers, inhibit rules and time intervals; lists what it cannot."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="an alertmanager.yml; - is standard input")
        parser.add_argument("--team", metavar="SLUG", help="make it this team's own tree, not the platform's")
        parser.add_argument("--dry-run", action="store_true", help="print the difference, change nothing")
        parser.add_argument("--output", metavar="FILE", help="write our configuration there; change nothing")
        parser.add_argument("--secrets-file", metavar="FILE", help="write the secrets there as NAME=value, mode 0600")
        parser.add_argument("--json", action="store_true", help="the result as JSON")

    def act(self, options: dict[str, Any]) -> str:
        name = "standard input" if options["file"] == "-" else options["file"]
        found = convert(text_of(options["file"]), name, options["team"])
        lines = _lines_for(options["secrets_file"], found.secrets)
        if options["output"]:
            _write(options["output"], found.configuration)
            changes: list[str] = []
            ending = f"Written to {options['output']}. Nothing was changed: apply it with fleetledger apply."
        else:
            outcome = config.apply([(f"what became of {name}", found.configuration)], dry_run=options["dry_run"])
            changes = [*map(str, outcome.changes), *outcome.notes]
            ending = "Nothing was changed: this was a dry run." if options["dry_run"] else "Done."
        if options["secrets_file"]:
            _write(options["secrets_file"], lines)
        if options["json"]:
            return as_json(
                {
                    "configuration": found.configuration,
                    "changes": changes,
                    "carried": found.carried,
                    "not_carried": found.not_carried,
                    "secrets": sorted(found.secrets),
                    "secret_files": found.files,
                    "silent_receivers": found.silent,
                }
            )
        return "\n".join([*changes, *_report(found, options["secrets_file"]), ending])


def _report(found: Converted, secrets_file: str | None) -> Iterator[str]:
    yield f"{len(found.carried)} settings are carried, {len(found.not_carried)} are not."
    for row in found.not_carried:
        yield f"  line {row.line}: {row.path}: {row.reason}"
    if found.silent:
        yield f"These receivers tell nobody here, since nothing of them is carried: {', '.join(found.silent)}."
    if found.secrets:
        yield (
            f"The secrets are in {secrets_file}: load it into the notifier's environment."
            if secrets_file
            else "Set these in the notifier's environment (--secrets-file FILE writes them down):"
        )
        yield from (f"  {name}" for name in sorted(found.secrets))
    if found.files:
        yield f"These files must be readable for the notifier: {', '.join(found.files)}."


def _lines_for(name: str | None, secrets: Mapping[str, str]) -> str:
    """NAME=value, unquoted, as files for the environment have it; none of them holds a value of several lines."""
    if name and Path(name).exists():
        raise CommandError(f"{name} is there already and may hold other secrets. Name another file.")
    broken = [key for key, value in secrets.items() if "\n" in value or "\r" in value]
    if name and broken:
        raise CommandError(
            f"{broken[0]} has several lines, and {SECRETS_FILE} has one for each. Set it by hand, and leave that out."
        )
    return "".join(f"{key}={value}\n" for key, value in secrets.items())


def _write(name: str, text: str) -> None:
    """Readable for its owner alone: an address may be a secret too."""
    try:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), OWNER_ONLY)
            file.write(text)
    except OSError as error:
        raise CommandError(f"{name} cannot be written: {error.strerror}.") from error
