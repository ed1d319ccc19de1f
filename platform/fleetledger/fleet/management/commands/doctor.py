"""The command `doctor`."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management import CommandError
from django.core.management.base import BaseCommand

from fleetledger.fleet import examination
from fleetledger.fleet.examination import Verdict

MARKS = {Verdict.WELL: "ok  ", Verdict.NOTE: "note", Verdict.BROKEN: "FAIL"}


class Command(BaseCommand):
    help = "Checks settings, versions, connections, clocks and permissions, and says how to mend each."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="the findings as JSON on standard output")

    def handle(self, *_args: object, **options: Any) -> None:
        findings = []
        for finding in examination.examine():
            findings.append(finding)
            if not options["json"]:
                mend = f" {finding.mend}" if finding.mend else ""
                self.stdout.write(f"{MARKS[finding.verdict]}  {finding.subject}: {finding.words}{mend}")
        if options["json"]:
            self.stdout.write(json.dumps([finding.as_json() for finding in findings], indent=2))
        broken = sum(finding.verdict is Verdict.BROKEN for finding in findings)
        if broken:
            raise CommandError(f"{broken} of {len(findings)} things are broken; the lines above say how to mend each.")
