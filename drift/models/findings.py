"""The tables of findings: what opened, on which evidence, where its review stands; and deployments beside them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from drift.models.models import Model
from drift.models.reports import Report
from fleetledger.fleet.models import Team


class FindingKind(models.TextChoices):
    DRIFT = "drift", "Drift"
    QUALITY = "quality", "Data quality"
    CONCEPT = "concept", "Concept drift"
    PERFORMANCE = "performance", "Performance"
    MISSING_REPORT = "missing_report", "Missing report"
    DATASET = "dataset", "Whole data set"


class FindingSeverity(models.TextChoices):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"


class FindingState(models.TextChoices):
    """`insufficient`: it is open, and the last window did not hold enough data to say whether it still is."""

    OPEN = "open", "Open"
    INSUFFICIENT = "insufficient", "Insufficient data"
    CLOSED = "closed", "Closed"


class ReviewState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    PROPOSED = "proposed", "Waits for a second person"
    DECIDED = "decided", "Decided"


class Verdict(models.TextChoices):
    REAL_DRIFT = "real_drift", "Real drift"
    DATA_BUG = "data_bug", "Data bug"
    EXPECTED = "expected", "Expected"
    FALSE_ALARM = "false_alarm", "False alarm"


class Finding(models.Model):
    """Something that is wrong with a model, by its root signal: a column, all columns, a metric, a missing report.

    States: 1. open, 2. insufficient and open again, 3. closed, for good; what comes back is another finding.
    Review: 1. waiting, 2. of a production model proposed by a first person, 3. decided by the second.
    `team` is whom its alert was told. `is_quiet`: its signal flaps, it is shown and tells nobody.
    """

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="findings")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    signal = models.CharField(max_length=600)
    kind = models.CharField(max_length=14, choices=FindingKind)
    severity = models.CharField(max_length=6, choices=FindingSeverity)
    state = models.CharField(max_length=12, choices=FindingState, default=FindingState.OPEN)
    summary = models.CharField(max_length=1000)
    columns = models.JSONField(default=list)
    evidence = models.JSONField(default=dict)
    flaps = models.PositiveIntegerField(default=1, help_text="How often its signal opened within 40 windows.")
    is_quiet = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    window_from = models.DateTimeField(null=True, blank=True)
    window_to = models.DateTimeField(null=True, blank=True)
    last_window_to = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    report = models.ForeignKey(Report, null=True, blank=True, on_delete=models.SET_NULL, related_name="findings")
    due_at = models.DateTimeField(help_text="Until when somebody should have decided.")
    review = models.CharField(max_length=8, choices=ReviewState, default=ReviewState.WAITING)
    verdict = models.CharField(max_length=11, choices=Verdict, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["model", "signal"], condition=~Q(state="closed"), name="drift_finding_one_open_per_signal"
            ),
            models.CheckConstraint(condition=Q(kind__in=FindingKind.values), name="drift_finding_kind_known"),
            models.CheckConstraint(
                condition=Q(severity__in=FindingSeverity.values), name="drift_finding_severity_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "insufficient"], closed_at__isnull=True)
                | Q(state="closed", closed_at__isnull=False),
                name="drift_finding_closed_has_time",
            ),
            models.CheckConstraint(
                condition=Q(review__in=["waiting", "proposed"], verdict="", decided_at__isnull=True)
                | Q(review="decided", verdict__in=Verdict.values, decided_at__isnull=False),
                name="drift_finding_decided_has_verdict",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["model", "-id"], name="drift_finding_of_model"),  # a model's page, newest first
            models.Index(fields=["due_at"], condition=~Q(review="decided"), name="drift_finding_queue"),
        ]

    def __str__(self) -> str:
        return f"{self.model}: {self.summary}"


class Evaluated(models.Model):
    """That a report's scores were weighed with those before them. Without this row the work waits."""

    report = models.OneToOneField(Report, on_delete=models.CASCADE, related_name="evaluated")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"report {self.report_id}"


class Deployment(models.Model):
    """A version of a model that went live: what a reviewer looks for beside a finding."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="deployments")
    at = models.DateTimeField()
    version = models.CharField(max_length=100)
    note = models.CharField(max_length=500, blank=True)
    by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    by_name = models.CharField(max_length=200)

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["model", "at", "version"], name="drift_deployment_once")
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.version}"
