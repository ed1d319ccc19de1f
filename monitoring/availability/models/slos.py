"""Objectives with what they said last, and hour by hour what was counted for them."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from fleetledger.fleet.models import Source, Team
from monitoring.availability.models.components import Component
from monitoring.availability.slo.burn import Outcome, Severity, Unit


class Slo(models.Model):
    """What is promised. `team` None: the platform's. Removed ones stay for the reports.

    For events, `total` is PromQL on `source`, and so is `expr`: the good ones, or with `counts_bad` the bad ones.
    For time, the component's own intervals are counted. `period_days`: the budget's rolling window.
    """

    name = models.SlugField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    description = models.CharField(max_length=300, blank=True)
    component = models.ForeignKey(Component, null=True, blank=True, on_delete=models.PROTECT, related_name="slos")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="slos")
    objective = models.DecimalField(max_digits=9, decimal_places=6)
    period_days = models.PositiveIntegerField(default=30)
    kind = models.CharField(max_length=16, choices=Unit, default=Unit.EVENTS)
    source = models.ForeignKey(Source, null=True, blank=True, on_delete=models.PROTECT, related_name="slos")
    expr = models.TextField(blank=True)
    counts_bad = models.BooleanField(default=False)
    total = models.TextField(blank=True)
    scrape_interval_s = models.PositiveIntegerField(null=True, blank=True)
    min_events = models.PositiveIntegerField(default=100)
    min_errors = models.PositiveIntegerField(default=5)
    interval_s = models.PositiveIntegerField(default=60)
    is_alerting = models.BooleanField(default=True)
    labels = models.JSONField(default=dict)
    annotations = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="availability_slo_has_name"),
            models.CheckConstraint(condition=Q(kind__in=Unit.values), name="availability_slo_kind"),
            models.CheckConstraint(condition=Q(objective__gt=0, objective__lt=100), name="availability_slo_objective"),
            models.CheckConstraint(condition=Q(period_days__range=(7, 90)), name="availability_slo_period"),
            models.CheckConstraint(condition=Q(interval_s__gte=1), name="availability_slo_interval"),
            models.CheckConstraint(
                condition=Q(kind=Unit.TIME, component__isnull=False)
                | (Q(kind=Unit.EVENTS, source__isnull=False) & ~Q(expr="") & ~Q(total="")),
                name="availability_slo_can_be_counted",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SloState(models.Model):
    """What an objective said last. `due_at` and `lease_until` let one process take it at a time.

    `failure`: why it could not be counted; the sums are then those of before. `counted_until`: hours before it are
    closed. `since_at`: the first hour in which anything was seen. Sums over the rolling window, and this month's.
    """

    slo = models.OneToOneField(Slo, on_delete=models.CASCADE, related_name="state")
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    evaluated_at = models.DateTimeField(null=True, blank=True)
    failure = models.TextField(blank=True)
    counted_until = models.DateTimeField(null=True, blank=True)
    is_behind = models.BooleanField(default=False)
    since_at = models.DateTimeField(null=True, blank=True)
    bad = models.FloatField(default=0)
    total = models.FloatField(default=0)
    covered_s = models.FloatField(default=0)
    expected_s = models.FloatField(default=0)
    month_bad = models.FloatField(default=0)
    month_total = models.FloatField(default=0)
    month_covered_s = models.FloatField(default=0)
    month_expected_s = models.FloatField(default=0)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["due_at"], name="availability_slo_due")]  # what is due

    def __str__(self) -> str:
        return f"{self.slo_id} at {self.evaluated_at}"


class SloVerdict(models.Model):
    """What one pair of windows says. `fires` outlives a gap: `decided_at` is the last verdict that was one."""

    slo = models.ForeignKey(Slo, on_delete=models.CASCADE, related_name="verdicts")
    long_s = models.PositiveIntegerField()
    short_s = models.PositiveIntegerField()
    severity = models.CharField(max_length=8, choices=Severity)
    outcome = models.CharField(max_length=16, choices=Outcome)
    why = models.TextField(blank=True)
    at = models.DateTimeField()
    fires = models.BooleanField(default=False)
    fired_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    long_bad = models.FloatField(default=0)
    long_total = models.FloatField(default=0)
    long_covered_s = models.FloatField(default=0)
    long_expected_s = models.FloatField(default=0)
    short_bad = models.FloatField(default=0)
    short_total = models.FloatField(default=0)
    short_covered_s = models.FloatField(default=0)
    short_expected_s = models.FloatField(default=0)

    class Meta:
        ordering: ClassVar = ["slo_id", "long_s"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["slo", "long_s"], name="availability_slo_verdict_once"),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="availability_slo_verdict_severity"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="availability_slo_verdict_outcome"),
            models.CheckConstraint(
                condition=Q(fires=False) | Q(fired_at__isnull=False), name="availability_slo_verdict_fired"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slo_id} {self.outcome} over {self.long_s} s"


class SloBurn(models.Model):
    """A stretch of time in which a pair fired; open while it still does."""

    slo = models.ForeignKey(Slo, on_delete=models.CASCADE, related_name="burns")
    long_s = models.PositiveIntegerField()
    severity = models.CharField(max_length=8, choices=Severity)
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["from_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["slo", "long_s"], condition=Q(until_at__isnull=True), name="availability_slo_burn_one_open"
            ),
            models.CheckConstraint(
                condition=Q(until_at__isnull=True) | Q(until_at__gte=F("from_at")),
                name="availability_slo_burn_ends_after",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["slo", "from_at"], name="availability_slo_burns_of")]  # of a month

    def __str__(self) -> str:
        return f"{self.slo_id} from {self.from_at}"


class SloPoint(models.Model):
    """What was counted from the hour `at` to `until_at`, which is the hour's end once it is over.

    Differences of what was counted since midnight, so that hours add up to their day; one may lie below zero by what
    increase() guesses at the edges. `objective`: the one of that hour.
    """

    slo = models.ForeignKey(Slo, on_delete=models.CASCADE, related_name="points")
    at = models.DateTimeField()
    until_at = models.DateTimeField()
    objective = models.DecimalField(max_digits=9, decimal_places=6)
    bad = models.FloatField()
    total = models.FloatField()
    covered_s = models.FloatField()
    expected_s = models.FloatField()

    class Meta:
        ordering: ClassVar = ["slo_id", "at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["slo", "at"], name="availability_slo_point_once"),
            models.CheckConstraint(condition=Q(until_at__gt=F("at")), name="availability_slo_point_ends_after"),
        ]

    def __str__(self) -> str:
        return f"{self.slo_id} at {self.at}"
