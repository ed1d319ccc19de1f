"""What people did about the written outages: who said what when, what was learned, and what is still to be done."""

from dataclasses import dataclass

from fleetledger.demo.outages import BACKUP_MISSED, FULL_OUTAGE, ZONE_LOST, Written
from monitoring.availability.models import EntryKind, Severity

MINUTE = 60
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline, so many seconds after the outage began."""

    after_s: int
    kind: EntryKind
    text: str
    actor: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A follow-up; `done_after_s` is counted from the outage, too. None: it is still to be done."""

    text: str
    owner: str
    due_days: int
    done_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """One outage as an incident. Times are seconds after it began; without `postmortem` none was written.

    `is_last`: told of its last time only; else of every earlier time. `nodes`: machines of its alerts.
    """

    outage: Written
    title: str
    severity: Severity
    components: tuple[str, ...]
    opened_after_s: int
    resolved_after_s: int
    lines: tuple[Line, ...]
    team: str = ""
    is_last: bool = True
    public_title: str = ""
    public_text: str = ""
    alert: str = "ComponentDown"
    nodes: tuple[str, ...] = ()
    roles: tuple[tuple[str, str], ...] = ()
    tasks: tuple[Task, ...] = ()
    postmortem: str = ""
    is_published: bool = False


CHAT_AGAIN = """\
## Summary

For sixteen and a half minutes nobody could talk to the chat service. A configuration named a model that does not
exist, and all six replicas took it at once.

## Impact

Every request from 13:12 to 13:28 UTC ended as 503. Of the month's error budget 38 % is spent.

## What happened

At 13:12 the configuration reached all replicas. At 13:13 the page went out; tomas took it two minutes later, saw that
all replicas had started anew together, and rolled back at 13:24. At 13:28 all of them answered.

## Why it happened

The configuration is checked for its form, not for whether its model is there. It reaches all replicas at once, so
three zones helped nobody. The same had happened four weeks before, and what we wanted to do about it was not done.

## What went well

The page came within a minute, and everybody knew how to roll back.

## What went badly

Rolling back took eleven minutes: each replica loads its weights for four of them.

## Where we were lucky

It was noon in Europe.

## What we do about it

One replica takes a new configuration first and must answer before the others follow. The check looks for the model.
"""
ZONE_LEARNED = """\
## Summary

us-east-1b could not be reached for an hour and three quarters. The services went on with what stands in the other two
zones; 32 GPUs in the lost one did nothing that anybody could see.

## Impact

No request failed. Trainings on four machines were cut off, and two began anew from checkpoints of the evening before.

## What happened

At 03:20 UTC the provider lost a switch. etcd chose another leader within seconds. At 05:05 the zone was back.

## Why it happened

Outside of our hands. That checkpoints were eight hours old was in ours.

## What went well

Chat, embeddings and etcd stood in three zones, and it was enough.

## What we do about it

Trainings write a checkpoint every hour. Once in a quarter we take a zone away ourselves.
"""
STORIES = (
    Story(
        outage=FULL_OUTAGE,
        title="Chat API is down",
        severity=Severity.SEV1,
        team="platform-ml",
        components=("chat-api",),
        opened_after_s=MINUTE,
        resolved_after_s=70 * MINUTE,
        public_title="Chat does not answer",
        public_text="From 13:12 to 13:28 UTC chat answered nobody. A wrong configuration was the cause; it is undone.",
        lines=(
            Line(MINUTE, EntryKind.ALERT, "ComponentDown on chat-api fired", tone="bad"),
            Line(3 * MINUTE, EntryKind.ACKNOWLEDGED, "ComponentDown acknowledged", "tomas", "note"),
            Line(4 * MINUTE, EntryKind.NOTE, "All replicas started anew at 13:12, in all three zones.", "tomas"),
            Line(6 * MINUTE, EntryKind.UPDATE, "Chat does not answer. We are looking for the cause.", "priya"),
            Line(9 * MINUTE, EntryKind.NOTE, "The configuration of 13:11 names a model that is not there.", "tomas"),
            Line(12 * MINUTE, EntryKind.STATE, "Rolled back to the configuration of the morning", "tomas"),
            Line(17 * MINUTE, EntryKind.ALERT, "ComponentDown on chat-api resolved", tone="good"),
            Line(20 * MINUTE, EntryKind.UPDATE, "Chat answers again. We go on watching it.", "priya"),
        ),
        roles=(("commander", "tomas"), ("communications", "priya")),
        tasks=(
            Task("Let one replica take a new configuration first", "tomas", 14, 6 * 24 * HOUR),
            Task("Check that the model of a configuration is there", "tomas", 30),
            Task("Load weights from the node's own disk", "tomas", 60),
        ),
        postmortem=CHAT_AGAIN,
        is_published=True,
    ),
    Story(
        outage=FULL_OUTAGE,
        title="Chat API is down",
        severity=Severity.SEV1,
        team="platform-ml",
        components=("chat-api",),
        opened_after_s=MINUTE,
        resolved_after_s=55 * MINUTE,
        is_last=False,
        public_title="Chat does not answer",
        public_text="For a quarter of an hour chat answered nobody.",
        lines=(
            Line(MINUTE, EntryKind.ALERT, "ComponentDown on chat-api fired", tone="bad"),
            Line(5 * MINUTE, EntryKind.ACKNOWLEDGED, "ComponentDown acknowledged", "priya", "note"),
            Line(11 * MINUTE, EntryKind.NOTE, "A configuration with a wrong model. Rolled back.", "priya"),
            Line(17 * MINUTE, EntryKind.ALERT, "ComponentDown on chat-api resolved", tone="good"),
        ),
        roles=(("commander", "priya"),),
        tasks=(Task("Take new configurations to one replica first", "priya", 21),),
    ),
    Story(
        outage=ZONE_LOST,
        title="us-east-1b cannot be reached",
        severity=Severity.SEV2,
        components=("etcd-1",),
        alert="GpuExporterGone",
        nodes=("h100-use1-02", "h100-use1-04", "h100-use1-06", "h100-use1-08"),
        opened_after_s=2 * MINUTE,
        resolved_after_s=3 * HOUR,
        lines=(
            Line(2 * MINUTE, EntryKind.ALERT, "GpuExporterGone on four nodes fired", tone="bad"),
            Line(9 * MINUTE, EntryKind.ACKNOWLEDGED, "GpuExporterGone acknowledged", "lena", "note"),
            Line(12 * MINUTE, EntryKind.NOTE, "All of them stand in us-east-1b. The services go on without.", "lena"),
            Line(25 * MINUTE, EntryKind.NOTE, "The provider says that a switch is lost.", "lena"),
            Line(106 * MINUTE, EntryKind.ALERT, "GpuExporterGone on four nodes resolved", tone="good"),
        ),
        roles=(("commander", "lena"),),
        tasks=(
            Task("Write a checkpoint every hour", "lena", 20),
            Task("Take a zone away on purpose once in a quarter", "tomas", 80),
        ),
        postmortem=ZONE_LEARNED,
        is_published=True,
    ),
    Story(
        outage=BACKUP_MISSED,
        title="A backup of the feature database failed",
        severity=Severity.SEV3,
        team="ranking",
        components=("feature-db-backup",),
        alert="BackupTooOld",
        opened_after_s=30 * MINUTE,
        resolved_after_s=23 * HOUR,
        lines=(
            Line(30 * MINUTE, EntryKind.ALERT, "BackupTooOld on feature-db-backup fired", tone="bad"),
            Line(5 * HOUR, EntryKind.NOTE, "The bucket was full. Old backups are thinned out now.", "priya"),
        ),
        roles=(("commander", "priya"),),
        tasks=(Task("Warn at 80 % of the bucket", "priya", 10, 3 * 24 * HOUR),),
        postmortem="## Summary\n\nThe bucket was full, and nobody is told before it is.\n",
    ),
)
