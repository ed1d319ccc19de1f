"""Hooks that mend something when it breaks, every run of them, and faults that were tried on purpose."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from fleetledger.fleet.models import Team
from monitoring.alerts.models import Episode
from monitoring.availability.models.components import Component
from monitoring.availability.states import State


class HealingHook(models.Model):
    """A webhook that is called when a component is down, or when an alert that matches fires.

    `webhook` is the entry of a webhook, secrets as references; `secret` signs what is sent and what is called back.
    `needs_approval`: one person must approve each run, within `approve_within_s`. At most `most_per_hour` are sent;
    `is_dry_run`: each is written down, none is sent.
    """

    name = models.CharField(max_length=200, unique=True)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    component = models.ForeignKey(Component, null=True, blank=True, on_delete=models.CASCADE, related_name="healing")
    states = models.JSONField(default=list)
    matchers = models.JSONField(default=list)
    after_s = models.PositiveIntegerField(default=0)
    webhook = models.JSONField()
    secret = models.JSONField()
    needs_approval = models.BooleanField(default=True)
    approve_within_s = models.PositiveIntegerField(default=1800)
    answer_within_s = models.PositiveIntegerField(default=900)
    most_per_hour = models.PositiveIntegerField(default=3)
    is_dry_run = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=(Q(component__isnull=False) & Q(matchers=[])) | (Q(component__isnull=True) & ~Q(matchers=[])),
                name="availability_hook_on_one_thing",
            ),
            models.CheckConstraint(condition=Q(most_per_hour__gte=1), name="availability_hook_may_run"),
        ]

    def __str__(self) -> str:
        return self.name


class HealingState(models.TextChoices):
    PROPOSED = "proposed", "Waits for approval"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"
    SENT = "sent", "Sent"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    EXPIRED = "expired", "Ran out"


class HealingRun(models.Model):
    """One time that a hook was to be called. `cause` names what for: one run for each.

    1. proposed: a person approves or refuses it, or it runs out; without need of approval it begins approved.
    2. approved: queued in the outbox as soon as the hook's rate allows; a dry run ends here as `succeeded`.
    3. sent: the receiver took it, and calls back what became of it; or it runs out.
    """

    hook = models.ForeignKey(HealingHook, on_delete=models.CASCADE, related_name="runs")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    cause = models.CharField(max_length=100)
    episode = models.ForeignKey(Episode, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    evidence = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=HealingState)
    is_dry_run = models.BooleanField(default=False)
    proposed_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=200, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When it was queued; the rate counts from it.")
    told_at = models.DateTimeField(null=True, blank=True, help_text="When the receiver took it.")
    ended_at = models.DateTimeField(null=True, blank=True)
    held_for = models.CharField(max_length=300, blank=True)
    result = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["hook", "cause"], name="availability_run_once_per_cause"),
            models.CheckConstraint(condition=Q(state__in=HealingState.values), name="availability_run_state"),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "approved", "sent"], ended_at__isnull=True)
                | Q(state__in=["refused", "succeeded", "failed", "expired"], ended_at__isnull=False),
                name="availability_run_ended_has_time",
            ),
        ]
        indexes: ClassVar = [
            # what waits for somebody or something
            models.Index(fields=["hook"], condition=Q(ended_at__isnull=True), name="availability_run_live"),
            models.Index(fields=["hook", "-sent_at"], name="availability_run_sent"),  # the rate
        ]

    def __str__(self) -> str:
        return f"{self.hook_id} {self.state}"


class HealingEntry(models.Model):
    """One line of a run's history: written once, never changed."""

    run = models.ForeignKey(HealingRun, on_delete=models.CASCADE, related_name="entries")
    at = models.DateTimeField()
    text = models.TextField()
    actor = models.CharField(max_length=200, blank=True, help_text="A person's or token's name; empty: ourselves.")

    class Meta:
        ordering: ClassVar = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.run_id} at {self.at}"


class Outcome(models.TextChoices):
    """Whether what happened is what was expected."""

    AS_EXPECTED = "as_expected", "As expected"
    OTHERWISE = "otherwise", "Otherwise"
    UNCLEAR = "unclear", "Unclear"


class GameDay(models.Model):
    """A fault that is brought about on purpose, what is expected of it, and what happened."""

    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    fault = models.TextField()
    expectation = models.TextField()
    expected_state = models.CharField(max_length=16, choices=State, blank=True)
    expected_within_s = models.PositiveIntegerField(null=True, blank=True)
    planned_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)
    learned = models.TextField(blank=True)
    evidence = models.JSONField(default=list)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200, blank=True)
    components = models.ManyToManyField(Component, related_name="game_days")

    class Meta:
        ordering: ClassVar = ["-planned_at", "-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(started_at__isnull=True, ended_at__isnull=True)
                | Q(started_at__isnull=False, ended_at__isnull=True)
                | Q(started_at__isnull=False, ended_at__gte=models.F("started_at")),
                name="availability_gameday_times",
            ),
        ]

    def __str__(self) -> str:
        return self.title
