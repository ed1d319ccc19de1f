"""Turns files of OpenSLO and Sloth into our `slos`, and says of every key whether it was carried."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fleetledger.fleet.config.issues import ConfigError
from fleetledger.fleet.config.service import written
from monitoring.alerts.moving_in.account import Account
from monitoring.availability.slo.moving_in import openslo, reading, sloth
from monitoring.availability.slo.moving_in.entry import Taken
from monitoring.availability.slo.moving_in.parts import Part

HEADER = "# Taken over from {}. Add these to `slos` of your configuration, and apply it: fleetledger apply FILE\n"


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A key that is not carried, with its place in the file that was read and the reason."""

    file: str
    line: int
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Converted:
    """`configuration` is our YAML with the objectives called `names`. `notes`: what means something else now."""

    configuration: str
    names: tuple[str, ...]
    carried: tuple[str, ...]
    not_carried: tuple[NotTaken, ...]
    notes: tuple[str, ...]


def convert(
    files: Sequence[tuple[str, str]],
    *,
    team: str | None = None,
    components: Collection[str] = (),
    sources: Collection[str] = (),
) -> Converted:
    """Of (file name, text) pairs together; raises ConfigError. `components` and `sources` are ours, by name."""
    roots = [root for file, text in files for document in reading.documents(file, text) for root in _roots(document)]
    taken = Taken(components, sources, team)
    found = [*openslo.slos([root for root in roots if openslo.is_openslo(root)], taken)]
    for root in roots:
        if sloth.is_sloth(root):
            found.extend(sloth.slos(root, taken))
        elif not openslo.is_openslo(root):
            raise ConfigError([root.account.places.issue(root.path, reading.KINDS)])
    accounts = list({id(root.account): root.account for root in roots}.values())
    return Converted(
        configuration=HEADER.format(", ".join(file for file, _ in files)) + written({"slos": found}),
        names=tuple(item["name"] for item in found),
        carried=tuple(path for account in accounts for path in account.carried()),
        not_carried=tuple(row for account in accounts for row in _not_taken(account)),
        notes=tuple(dict.fromkeys(taken.notes)),
    )


def _roots(document: Any) -> Iterator[Part]:
    """The objects of a document: itself, or those of its list."""
    whole = Part(Account(document), document.values)
    items = document.values.get(reading.ITEMS)
    if isinstance(items, list) and len(document.values) == 1:
        yield from whole.each(reading.ITEMS)
    else:
        yield whole


def _not_taken(account: Account) -> Iterator[NotTaken]:
    file = account.places.place(()).file
    for row in account.not_carried():
        yield NotTaken(file, row.line, row.path, row.reason)
