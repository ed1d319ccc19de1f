"""The command `apply FILE...`."""

from argparse import ArgumentParser
from typing import Any

from fleetledger.fleet import config
from fleetledger.fleet.commands import SentenceCommand, as_json, text_of


class Command(SentenceCommand):
    help = "Brings teams, sources, rules and so on to what the files say, and prints the difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="YAML; - is standard input")
        parser.add_argument("--dry-run", action="store_true", help="print the difference, change nothing")
        parser.add_argument("--json", action="store_true", help="the difference as JSON")

    def act(self, options: dict[str, Any]) -> str:
        texts = [(_shown(name), text_of(name)) for name in options["files"]]
        outcome = config.apply(texts, dry_run=options["dry_run"])
        return as_json(outcome) if options["json"] else _report(outcome)


def _report(outcome: config.Outcome) -> str:
    if not outcome.changes:
        return "\n".join(["Nothing to change.", *outcome.notes])
    kinds = [change.kind for change in outcome.changes]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("added", "changed", "removed") if kind in kinds)
    ending = "Nothing was changed: this was a dry run." if outcome.is_dry_run else f"Done: {counts}."
    return "\n".join([*map(str, outcome.changes), *outcome.notes, ending])


def _shown(name: str) -> str:
    return "standard input" if name == "-" else name
