"""The tables of reports: files as they came, what each says of a window, and the scores by column."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from drift.models.models import Model


class Generation(models.TextChoices):
    EVIDENTLY_A = "evidently-a", "Evidently 0.2-0.6, report"
    EVIDENTLY_B = "evidently-b", "Evidently 0.2-0.6, test suite"
    EVIDENTLY_C = "evidently-c", "Evidently 0.4-0.6, snapshot"
    EVIDENTLY_D = "evidently-d", "Evidently 0.7.0-0.7.14"
    EVIDENTLY_E = "evidently-e", "Evidently 0.7.16 or later"
    EVIDENTLY_F = "evidently-f", "Evidently 0.7, snapshot"
    NANNYML = "nannyml", "NannyML"
    WHYLOGS = "whylogs", "whylogs"
    TFDV = "tfdv", "TFDV"
    NATIVE = "native", "Computed here"


class ReportState(models.TextChoices):
    RECEIVED = "received", "Received"
    IMPORTED = "imported", "Imported"


class DatedBy(models.TextChoices):
    ASKED = "asked", "Whoever sent it"
    CHUNK = "chunk", "Its chunk's dates"
    TIMESTAMP = "timestamp", "Its own timestamp"
    PERSON = "person", "A person, later"


class Direction(models.TextChoices):
    SMALL = "small", "Drifts when small"
    LARGE = "large", "Drifts when large"
    OUTSIDE = "outside", "Drifts outside a band"
    UNKNOWN = "unknown", "Unknown"


class ScoreKind(models.TextChoices):
    DRIFT = "drift", "Drift"
    QUALITY = "quality", "Data quality"
    PERFORMANCE = "performance", "Performance"
    ESTIMATE = "estimate", "Estimate without labels"


class ReportFile(models.Model):
    """A delivered file, byte for byte, compressed. One file of NannyML is many reports, one for each chunk."""

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="files")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the canonical JSON without plots.")
    name = models.CharField(max_length=200, blank=True)
    content = models.BinaryField()
    size_bytes = models.BigIntegerField(help_text="Of the file as it came.")
    received_at = models.DateTimeField()
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="drift_files"
    )
    received_from = models.CharField(max_length=200, blank=True, help_text="The token, command or folder it came by.")
    job = models.ForeignKey("fleet.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["model", "digest"], name="drift_reportfile_once_per_model")
        ]

    def __str__(self) -> str:
        return self.name or self.digest[:12]


class Report(models.Model):
    """What one file says of a model in one window. Without a window it stays out of trends until somebody dates it.

    States: 1. received (the file is stored), 2. imported (its scores are stored, which count).
    `window_from` equals `window_to` where only an instant is known.
    """

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="reports")
    file = models.ForeignKey(ReportFile, null=True, blank=True, on_delete=models.PROTECT, related_name="reports")
    state = models.CharField(max_length=8, choices=ReportState, default=ReportState.RECEIVED)
    generation = models.CharField(max_length=11, choices=Generation)
    tool = models.CharField(max_length=40)
    tool_version = models.CharField(max_length=40, blank=True)
    digest = models.CharField(max_length=64)
    window_from = models.DateTimeField(null=True, blank=True)
    window_to = models.DateTimeField(null=True, blank=True)
    is_dated = models.BooleanField(default=False)
    dated_by = models.CharField(max_length=9, choices=DatedBy, blank=True)
    dated_by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField(null=True, blank=True, help_text="The report's own timestamp.")
    received_at = models.DateTimeField()
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="drift_reports"
    )
    share = models.FloatField(null=True, blank=True)
    drift_share = models.FloatField(null=True, blank=True, help_text="From this share of columns on, the data drifts.")
    is_drifted = models.BooleanField(null=True, blank=True)
    columns = models.IntegerField(default=0)
    drifted_columns = models.IntegerField(default=0)
    note = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-received_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["model", "digest", "window_from", "window_to"],
                name="drift_report_once_per_window",
                condition=Q(is_dated=True),
            ),
            models.UniqueConstraint(
                fields=["model", "digest"], name="drift_report_undated_once", condition=Q(is_dated=False)
            ),
            models.CheckConstraint(
                condition=Q(is_dated=True, window_from__isnull=False, window_to__gte=F("window_from"))
                | Q(is_dated=False, window_from__isnull=True, window_to__isnull=True),
                name="drift_report_is_dated_by_a_window",
            ),
            models.CheckConstraint(condition=Q(state__in=ReportState.values), name="drift_report_state_known"),
            models.CheckConstraint(condition=Q(generation__in=Generation.values), name="drift_report_generation_known"),
        ]
        indexes: ClassVar = [
            # one model's trend, and the last report of each model
            models.Index(fields=["model", "-window_to", "-id"], name="drift_report_trend", condition=Q(is_dated=True)),
            models.Index(fields=["state"], name="drift_report_waiting", condition=Q(state="received")),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.window_to or 'undated'}"


class Score(models.Model):
    """One number that a report gives for a column. What the report does not say is null or unknown, never guessed.

    `is_drifted` is the report's own flag where it has one. Under `quality` it says that the tool raised the fact, under
    `estimate` and `performance` that the number left its band (`threshold_low` to `threshold`).
    """

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="scores")
    position = models.IntegerField()
    column = models.CharField(max_length=500)
    kind = models.CharField(max_length=11, choices=ScoreKind, default=ScoreKind.DRIFT)
    method = models.CharField(max_length=60)
    method_as_written = models.CharField(max_length=200, blank=True)
    value = models.FloatField(null=True, blank=True)
    threshold = models.FloatField(null=True, blank=True)
    threshold_low = models.FloatField(null=True, blank=True)
    threshold_assumed = models.BooleanField(default=False)
    direction = models.CharField(max_length=7, choices=Direction, default=Direction.UNKNOWN)
    is_drifted = models.BooleanField(null=True, blank=True)
    engine = models.CharField(max_length=40)
    engine_version = models.CharField(max_length=40, blank=True)
    recipe = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering: ClassVar = ["report_id", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["report", "position"], name="drift_score_once_per_position"),
            models.CheckConstraint(condition=Q(kind__in=ScoreKind.values), name="drift_score_kind_known"),
            models.CheckConstraint(condition=Q(direction__in=Direction.values), name="drift_score_direction_known"),
        ]

    def __str__(self) -> str:
        return f"{self.column} {self.method}"
