"""Brings what is stored to what configuration files say, all of it or nothing, and writes the same file back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml
from django.db import transaction

from fleetledger.fleet.config import document, registry, validation
from fleetledger.fleet.config.issues import ConfigError
from fleetledger.fleet.config.plan import Change, Plan

LOCK = 0x666C6565  # one apply at a time
HEADER = "# Fleetledger's configuration as it is stored. Apply it again with: fleetledger apply FILE\n"


@dataclass(frozen=True, slots=True)
class Outcome:
    changes: Sequence[Change]
    notes: Sequence[str]
    is_dry_run: bool


def apply(texts: Iterable[tuple[str, str]], *, dry_run: bool = False) -> Outcome:
    """Apply (file name, YAML text) pairs together; raises ConfigError, which changes nothing."""
    read = document.read(texts)
    mistakes = validation.issues(read)
    if mistakes:
        raise ConfigError(mistakes)
    plan = Plan(read)
    with transaction.atomic():
        with transaction.get_connection().cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        for section in registry.sections():
            items = read.values.get(section.name)
            if items is not None:
                section.apply(items, plan)
            if plan.issues:
                raise ConfigError(plan.issues)
        if dry_run:
            transaction.set_rollback(True)
    return Outcome(tuple(plan.changes), tuple(plan.notes), dry_run)


def export() -> str:
    """A file that applies as no change."""
    values = {section.name: items for section in registry.sections() if (items := section.export())}
    return HEADER + written(values)


def written(values: Mapping[str, Any]) -> str:
    """Sections as the file has them."""
    if not values:
        return ""
    return yaml.dump(dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, and writes days bare."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:  # noqa: ARG002, FBT001, FBT002 PyYAML's signature
        return super().increase_indent(flow, False)  # noqa: FBT003 PyYAML's signature


def _day(dumper: yaml.SafeDumper, value: date) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:timestamp", value.isoformat())


_Dumper.add_representer(date, _day)
