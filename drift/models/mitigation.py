"""The tables of mitigation: what people started because of a finding, and each step that it took."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from drift.models.findings import Finding


class MitigationKind(models.TextChoices):
    RETRAIN = "retrain", "Retrain"
    ROLLBACK = "rollback", "Roll back"
    NEW_REFERENCE = "new_reference", "New reference"
    REBALANCE = "rebalance", "Rebalance"
    TICKET = "ticket", "Ticket"


class MitigationState(models.TextChoices):
    PROPOSED = "proposed", "Proposed"
    APPROVED = "approved", "Approved"
    SENT = "sent", "Sent"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


OVER = (MitigationState.SUCCEEDED, MitigationState.FAILED, MitigationState.CANCELLED)


class Mitigation(models.Model):
    """What is done about a finding. `key` is the Idempotency-Key of its webhook, equal on every try.

    States: 1. proposed, 2. approved by somebody who may, 3. sent (the webhook took it), 4. running, 5. succeeded or
    failed by its callback or a person; cancelled from any of 1 to 4. `cost` is the estimate as it was when proposed.
    """

    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="mitigations")
    kind = models.CharField(max_length=13, choices=MitigationKind)
    state = models.CharField(max_length=9, choices=MitigationState, default=MitigationState.PROPOSED)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    note = models.TextField(blank=True)
    cost = models.JSONField(default=dict)
    actual = models.JSONField(default=dict, help_text="What it cost, once telemetry is complete; empty until then.")
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=200)
    proposed_by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    link = models.CharField(max_length=500, blank=True, help_text="Where the other side shows its run.")

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["finding", "kind"],
                condition=~Q(state__in=["succeeded", "failed", "cancelled"]),
                name="drift_mitigation_one_live_per_kind",
            ),
            models.CheckConstraint(condition=Q(kind__in=MitigationKind.values), name="drift_mitigation_kind_known"),
            models.CheckConstraint(condition=Q(state__in=MitigationState.values), name="drift_mitigation_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for finding {self.finding_id}"


class MitigationStep(models.Model):
    """One step of a mitigation: who moved it, when, and what they said. Append-only.

    `nonce` is the callback's, so that a callback that is sent again is known.
    """

    mitigation = models.ForeignKey(Mitigation, on_delete=models.PROTECT, related_name="steps")
    state = models.CharField(max_length=9, choices=MitigationState)
    by_name = models.CharField(max_length=200)
    by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.TextField(blank=True)
    nonce = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["mitigation", "nonce"], condition=~Q(nonce=""), name="drift_mitigationstep_once_per_callback"
            )
        ]

    def __str__(self) -> str:
        return f"{self.mitigation_id} {self.state}"
