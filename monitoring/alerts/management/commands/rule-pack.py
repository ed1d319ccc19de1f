"""rule-pack [NAME]: writes one of our rule packs as a file for Prometheus, or lists their rules."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from fleetledger.fleet.commands import SentenceCommand, as_json
from monitoring.alerts.rules import pack
from monitoring.alerts.rules.errors import RuleError


class Command(SentenceCommand):
    help = "Write a rule pack in Prometheus' format: gpu, or fleetledger for ourselves."
    refusals = (RuleError,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", nargs="?", default=pack.NAMES[0], help="gpu (default), fleetledger")
        parser.add_argument("--list", action="store_true", help="the rules of all packs with their severities")
        parser.add_argument("--base-url", default=settings.BASE_URL, help="where the runbooks' page is")
        parser.add_argument("--json", action="store_true", help="with --list: as JSON")

    def act(self, options: dict[str, Any]) -> str:
        if not options["list"]:
            return pack.text(options["name"], options["base_url"]).rstrip("\n")
        rules = [rule for name in pack.NAMES for rule in pack.rules(name)]
        if options["json"]:
            return as_json([{"pack": rule.pack, "name": rule.name, "severity": _severity(rule)} for rule in rules])
        return "\n".join(f"{rule.pack:<12} {rule.name:<36} {_severity(rule)}" for rule in rules)


def _severity(rule: pack.PackRule) -> str:
    return rule.labels["severity"]
