"""What the GPUs did: facts of five minutes, and the hours and days rolled up from them. Sums, never averages.

The tables are written by COPY and SQL (`ingest`, `rollup`) and partitioned where they grow: see the second migration.
Workload 0 is nobody; an empty team is nobody's. Times are GPU-microseconds: share of the GPU x time.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q

NOBODY = 0
FREE = -1  # gi_id of the part of a GPU that no MIG instance covers


class Unit(models.Model):
    """What a fact is about: a GPU (gi_id empty), one of its MIG instances, or what no instance covers (gi_id -1)."""

    gpu = models.ForeignKey("fleet.Gpu", on_delete=models.CASCADE, related_name="units")
    gi_id = models.SmallIntegerField(null=True, blank=True)
    profile = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["gpu", "gi_id"], nulls_distinct=False, name="telemetry_unit_once")
        ]

    def __str__(self) -> str:
        return f"unit {self.pk}"


class Sums(models.Model):
    """The columns that add up."""

    allocated_us = models.BigIntegerField(default=0)
    unallocated_us = models.BigIntegerField(default=0)
    unknown_us = models.BigIntegerField(default=0)
    observed_us = models.BigIntegerField(default=0)
    busy_us = models.BigIntegerField(default=0)
    measured_us = models.BigIntegerField(default=0)
    sm_us = models.BigIntegerField(default=0)
    sm_measured_us = models.BigIntegerField(default=0)
    tensor_us = models.BigIntegerField(default=0)
    tensor_measured_us = models.BigIntegerField(default=0)
    dram_us = models.BigIntegerField(default=0)
    dram_measured_us = models.BigIntegerField(default=0)
    fb_used_mib_us = models.BigIntegerField(default=0)
    fb_measured_us = models.BigIntegerField(default=0)
    energy_uj = models.BigIntegerField(null=True)
    bridged_us = models.BigIntegerField(default=0)
    rejected_samples = models.BigIntegerField(default=0)
    estimated = models.BooleanField(default=False)

    class Meta:
        abstract = True


class UnitSums(Sums):
    """One step of one unit and holder."""

    pk = models.CompositePrimaryKey("bucket", "unit_id", "workload_id")
    bucket = models.DateTimeField()
    unit_id = models.BigIntegerField()
    workload_id = models.BigIntegerField()
    gpu_id = models.BigIntegerField()
    node_id = models.BigIntegerField(null=True)
    team_id = models.BigIntegerField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.bucket:%Y-%m-%dT%H:%MZ} unit {self.unit_id} workload {self.workload_id}"


def _sane(table: str) -> list[models.BaseConstraint]:
    """No negative time; nobody holds nothing; a workload's row has no free or unknown time."""
    return [
        models.CheckConstraint(
            condition=Q(
                allocated_us__gte=0, unallocated_us__gte=0, unknown_us__gte=0, measured_us__gte=0, busy_us__gte=0
            ),
            name=f"telemetry_{table}_not_negative",
        ),
        models.CheckConstraint(
            condition=Q(workload_id=NOBODY, allocated_us=0, team_id__isnull=True)
            | Q(workload_id__gt=NOBODY, unallocated_us=0, unknown_us=0),
            name=f"telemetry_{table}_held_or_not",
        ),
    ]


class Fact(UnitSums):
    """Five minutes; partitioned by day."""

    source_id = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = _sane("fact")


class GpuHour(UnitSums):
    """An hour; partitioned by month."""

    class Meta:
        constraints: ClassVar = _sane("gpuhour")


class GpuDay(UnitSums):
    """A day in UTC."""

    class Meta:
        constraints: ClassVar = _sane("gpuday")


class TeamSums(Sums):
    """One step of one team (0: nobody's) by what pages group by."""

    pk = models.CompositePrimaryKey("team_id", "bucket", "cluster_id", "gpu_model", "kind")
    team_id = models.BigIntegerField()
    bucket = models.DateTimeField()
    cluster_id = models.BigIntegerField()
    gpu_model = models.CharField(max_length=200)
    kind = models.CharField(max_length=64)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.bucket:%Y-%m-%dT%H:%MZ} team {self.team_id}"


class TeamHour(TeamSums):
    """An hour of a team."""


class TeamDay(TeamSums):
    """A day of a team in UTC."""


class Reading(models.Model):
    """How one GPU's bucket was read: what was seen, from which replica, with the counter's first and last sample.

    `counted_until_at`: until when the counter's steps are in the facts; later steps settle what is left.
    """

    pk = models.CompositePrimaryKey("bucket", "gpu_id")
    bucket = models.DateTimeField()
    gpu_id = models.BigIntegerField()
    source_id = models.BigIntegerField()
    existence_us = models.BigIntegerField()
    observed_us = models.BigIntegerField(default=0)
    rejected_samples = models.IntegerField(default=0)
    replica = models.CharField(max_length=200, blank=True)
    first_counter_at = models.DateTimeField(null=True)
    first_counter_uj = models.BigIntegerField(null=True)
    last_counter_at = models.DateTimeField(null=True)
    last_counter_uj = models.BigIntegerField(null=True)
    counted_until_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.bucket:%Y-%m-%dT%H:%MZ} GPU {self.gpu_id}"


class SourceNote(models.Model):
    """What a source's readings made visible: a detected scale, malformed lines, a quarantined agent."""

    source = models.ForeignKey("fleet.Source", on_delete=models.CASCADE, related_name="notes")
    text = models.CharField(max_length=500)
    count = models.BigIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "text"], name="telemetry_sourcenote_once")]

    def __str__(self) -> str:
        return self.text


class XidEvent(models.Model):
    """A change of a GPU's last XID code."""

    gpu = models.ForeignKey("fleet.Gpu", on_delete=models.CASCADE, related_name="xid_events")
    at = models.DateTimeField()
    code = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["-at"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["gpu", "at"], name="telemetry_xidevent_once")]

    def __str__(self) -> str:
        return f"XID {self.code}"


class IdentityCheck(models.Model):
    """Whether one day's allocated + unallocated + unknown is the GPUs' existence."""

    day = models.DateField(unique=True)
    checked_at = models.DateTimeField()
    gpus = models.IntegerField()
    existence_us = models.BigIntegerField()
    allocated_us = models.BigIntegerField()
    unallocated_us = models.BigIntegerField()
    unknown_us = models.BigIntegerField()
    gpus_off = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.day}: {self.gpus_off} off"


class DataVersion(models.Model):
    """A number that grows with each write, for ETags."""

    name = models.CharField(max_length=32, primary_key=True)
    version = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Scrape(models.Model):
    """What one scrape of exporters or NVML gave, compressed: those sources keep no history themselves."""

    source = models.ForeignKey("fleet.Source", on_delete=models.CASCADE, related_name="scrapes")
    at = models.DateTimeField()
    content = models.BinaryField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "at"], name="telemetry_scrape_once")]

    def __str__(self) -> str:
        return f"scrape of source {self.source.pk} at {self.at:%Y-%m-%dT%H:%M:%SZ}"
