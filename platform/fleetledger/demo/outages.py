"""What goes wrong with services, as it is written: the same every four weeks, so that each demo has seen all of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from fleetledger.demo.work import DAY_S, HOUR_S

ORIGIN = 1_735_862_400  # Friday 2025-01-03 00:00 UTC; cycles are counted from here, in both directions
CYCLE_S = 28 * DAY_S
MINUTE_S = 60


class Fault(StrEnum):
    """What a scrape meets."""

    DOWN = "down"  # the process does not answer
    SILENT = "silent"  # nobody scrapes it: nothing is known
    IDLE = "idle"  # it is up, and nobody asks it anything
    LATE = "late"  # it is behind with what it should have done


@dataclass(frozen=True, slots=True, order=True)
class Trouble:
    """A fault at the scrapes of [start, end)."""

    start: int
    end: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class Written:
    """One outage of the script, at so many seconds of its cycle; it hits what `jobs`, `pods` or `zones` name."""

    title: str
    begins_s: int
    lasts_s: int
    fault: Fault
    jobs: tuple[str, ...] = ()
    pods: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()

    def hits(self, job: str, pod: str, zone: str) -> bool:
        return job in self.jobs or pod in self.pods or zone in self.zones

    def within(self, start: int, end: int) -> Iterator[Trouble]:
        """Each time that it touches [start, end)."""
        for cycle in range(cycle_of(start - self.begins_s - self.lasts_s), cycle_of(end) + 1):
            begins = ORIGIN + cycle * CYCLE_S + self.begins_s
            if begins < end and begins + self.lasts_s > start:
                yield Trouble(begins, begins + self.lasts_s, self.fault)

    def is_on(self, at: int) -> bool:
        return any(True for _ in self.within(at, at + 1))


def cycle_of(at: int) -> int:
    return (at - ORIGIN) // CYCLE_S


def _at(day: int, hour: int, minute: int = 0, second: int = 0) -> int:
    return day * DAY_S + hour * HOUR_S + minute * MINUTE_S + second


FULL_OUTAGE = Written(
    "A wrong configuration takes all replicas of the chat service with it",
    _at(8, 13, 12), 16 * MINUTE_S + 30, Fault.DOWN, jobs=("llm-gateway",),
)  # fmt: skip
ZONE_LOST = Written(
    "us-east-1b cannot be reached", _at(15, 3, 20), 105 * MINUTE_S, Fault.DOWN, zones=("us-east-1b",)
)  # fmt: skip
SWITCHOVER = Written(
    "A new version of PostgreSQL, planned", _at(10, 2, 10), 80 * MINUTE_S, Fault.DOWN, pods=("feature-db-0",)
)  # fmt: skip
REPLICA_LATE = Written(
    "The standby falls behind while an index is built", _at(13, 9, 5), 40 * MINUTE_S, Fault.LATE, pods=("feature-db-1",)
)  # fmt: skip
BACKUP_MISSED = Written(  # from when the last one is more than 26 hours old to when the next is done
    "A backup fails", _at(12, 3, 50, 30), 22 * HOUR_S - 30, Fault.LATE, pods=("feature-db-backup-0",)
)  # fmt: skip
EXPORTER_SILENT = Written(
    "The exporter of a database is scraped by nobody", _at(17, 11), 192 * MINUTE_S, Fault.SILENT, jobs=("registry-db",)
)  # fmt: skip
SCRIPT = (FULL_OUTAGE, ZONE_LOST, SWITCHOVER, REPLICA_LATE, BACKUP_MISSED, EXPORTER_SILENT)
PLANNED_S = (_at(10, 2), _at(10, 4))
"""The work on the database is announced from one to the other."""
