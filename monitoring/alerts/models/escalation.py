"""Who is paged next where nobody acknowledges: escalations, their runs, and every step and page of them."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from fleetledger.fleet.models import Team, User
from monitoring.alerts.models.alerts import Episode


class Escalation(models.Model):
    """Steps as the configuration has them. `repeat`: how often they begin again after the first time.

    `acknowledge_timeout_s`: after so long an acknowledged alert that still fires is nobody's again; None: never.
    One that was removed runs on where it had begun.
    """

    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="escalations")
    name = models.CharField(max_length=200, unique=True)
    steps = models.JSONField(default=list)
    repeat = models.PositiveSmallIntegerField(default=0)
    acknowledge_timeout_s = models.FloatField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class RunState(models.TextChoices):
    ACTIVE = "active", "Escalating"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    RESOLVED = "resolved", "Resolved"
    EXHAUSTED = "exhausted", "All steps are done"


class Run(models.Model):
    """An escalation of the alerts that one tick of a group brought as news. It keeps the steps that it began with.

    `step` is the place of the next step, `round` counts from 0 how often the steps began again, and `first_round` is
    where the present set of 1 + `repeat` rounds began; `due_at` is when the next step is to be done, null where none
    is. `held_for`: why the next step is put off, empty where it is not.
    """

    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="runs")
    group = models.ForeignKey("alerts.Group", on_delete=models.CASCADE, related_name="runs")
    steps = models.JSONField()
    repeat = models.PositiveSmallIntegerField(default=0)
    acknowledge_timeout_s = models.FloatField(null=True, blank=True)
    started_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=RunState, default=RunState.ACTIVE)
    step = models.PositiveSmallIntegerField(default=0)
    round = models.PositiveSmallIntegerField(default=0)
    first_round = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    held_for = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField()
    episodes = models.ManyToManyField(Episode, through="RunEpisode", related_name="runs")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="alerts_run_state_known"),
            models.CheckConstraint(
                condition=Q(state="active", due_at__isnull=False) | (~Q(state="active") & Q(due_at__isnull=True)),
                name="alerts_run_active_is_due",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="alerts_run_due")  # what is due
        ]

    def __str__(self) -> str:
        return f"run {self.pk} {self.state}"


class RunEpisode(models.Model):
    """An episode that a run is about; through one group an episode is escalated once."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="members")
    group = models.ForeignKey("alerts.Group", on_delete=models.CASCADE, related_name="+")
    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="escalated")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "episode"], name="alerts_runepisode_once_per_group"),
            models.UniqueConstraint(fields=["run", "episode"], name="alerts_runepisode_once_per_run"),
        ]

    def __str__(self) -> str:
        return f"{self.episode_id} in {self.run_id}"


class RunStep(models.Model):
    """A step that was done or passed over, in words. It is done once in a round, whoever tries it again."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="done")
    round = models.PositiveSmallIntegerField()
    step = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    words = models.TextField()
    is_passed_over = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "round", "step"], name="alerts_runstep_once_per_round")
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.round}.{self.step}"


class Page(models.Model):
    """One person paged by one step, or by nobody's step but because the alert was given to them: then `done` is none.

    `why`: how the page came to this person; `problem`: why the person could not be told. `told_at`: when the first of
    its messages was delivered; those are forgotten earlier than the page.
    """

    done = models.ForeignKey(RunStep, null=True, blank=True, on_delete=models.CASCADE, related_name="pages")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="pages")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="pages")
    at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=300, blank=True)
    quiet_until_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["done", "person"], name="alerts_page_once_per_step"),
            models.CheckConstraint(
                condition=Q(quiet_until_at__isnull=True) | Q(quiet_until_at__gte=F("at")),
                name="alerts_page_quiet_ends_later",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["person", "-at"], name="alerts_page_of_person"),  # load per person
            models.Index(fields=["-at"], name="alerts_page_at"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} at {self.at}"
