"""The tables of decisions: what people said of findings, and thresholds they accepted; nothing in them ever changes."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from drift.models.findings import Finding, Verdict
from drift.models.models import Model


class Step(models.TextChoices):
    PROPOSED = "proposed", "Proposed"
    DECIDED = "decided", "Decided"
    CONFIRMED = "confirmed", "Confirmed"
    DISAGREED = "disagreed", "Disagreed"


class Review(models.Model):
    """What one person said of a finding. Append-only: the database refuses changes.

    1. A first person decides, of a production model proposes. 2. A second one confirms, or
    disagrees: back to the queue.
    """

    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="reviews")
    verdict = models.CharField(max_length=11, choices=Verdict)
    step = models.CharField(max_length=9, choices=Step)
    comment = models.TextField()
    by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="drift_reviews"
    )
    by_name = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="drift_review_verdict_known"),
            models.CheckConstraint(condition=Q(step__in=Step.values), name="drift_review_step_known"),
            models.CheckConstraint(condition=~Q(comment=""), name="drift_review_has_comment"),
        ]

    def __str__(self) -> str:
        return f"{self.by_name}: {self.verdict}"


class ThresholdChange(models.Model):
    """A threshold that a person accepted, or took back, with the false alarms that suggested it. Append-only."""

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="threshold_changes")
    column = models.CharField(max_length=500)
    before = models.FloatField(null=True, blank=True)
    after = models.FloatField(null=True, blank=True)
    reason = models.TextField()
    findings = models.JSONField(default=list, help_text="Numbers of the findings that were false alarms.")
    by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    by_name = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.model} {self.column}: {self.before} to {self.after}"
