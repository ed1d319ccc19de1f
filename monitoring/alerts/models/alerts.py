"""What is wrong: alerts with what each sender says of them, their episodes and their history.

`team` is the tenant; none stands for the platform's own tenant. No row is shared between tenants.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from fleetledger.fleet.models import ApiToken, Team, User


class AlertState(models.TextChoices):
    """`stale`: its sender fell silent, so nobody knows; neither firing for sure nor resolved."""

    FIRING = "firing", "Firing"
    STALE = "stale", "Unknown"
    RESOLVED = "resolved", "Resolved"


class Sender(models.Model):
    """Who reports alerts: a token with the origin of the generator's address, or one of our own parts.

    `streak_at`: since when it has reported without a silence of two intervals. `gaps_s`: the last medians between
    two reports of the same alert, from which `interval_s` is taken.
    """

    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="alert_senders")
    key = models.CharField(max_length=400)
    token = models.ForeignKey(ApiToken, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    streak_at = models.DateTimeField()
    gaps_s = ArrayField(models.FloatField(), default=list)
    interval_s = models.FloatField(default=60.0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "key"], nulls_distinct=False, name="alerts_sender_once_per_tenant"),
            models.CheckConstraint(condition=Q(interval_s__gt=0), name="alerts_sender_interval_positive"),
        ]

    def __str__(self) -> str:
        return self.key


class Alert(models.Model):
    """A set of labels that was ever wrong, as it is now. `fingerprint` is Alertmanager's, in hexadecimal."""

    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="alerts")
    fingerprint = models.CharField(max_length=16)
    name = models.CharField(max_length=200, help_text="The label alertname.")
    severity = models.CharField(max_length=64, blank=True)
    labels = models.JSONField()
    annotations = models.JSONField(default=dict)
    generator_url = models.TextField(blank=True)
    state = models.CharField(max_length=16, choices=AlertState)
    starts_at = models.DateTimeField(help_text="Of the current or last episode.")
    ended_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(help_text="When `state` last changed.")
    flapping_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "fingerprint"], nulls_distinct=False, name="alerts_alert_once_per_tenant"
            ),
            models.CheckConstraint(condition=Q(state__in=AlertState.values), name="alerts_alert_state_known"),
            models.CheckConstraint(
                condition=Q(state="resolved", ended_at__isnull=False)
                | (~Q(state="resolved") & Q(ended_at__isnull=True)),
                name="alerts_alert_ended_when_resolved",
            ),
        ]
        indexes: ClassVar = [
            # pages, the v2 list and grouping read what is wrong now
            models.Index(fields=["team", "name"], condition=~Q(state="resolved"), name="alerts_alert_open"),
            models.Index(fields=["-changed_at"], name="alerts_alert_changed"),  # what happened lately
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.fingerprint}"


class Report(models.Model):
    """What one sender last said of one alert. Re-sent each minute: it holds no more than must change then."""

    sender = models.ForeignKey(Sender, on_delete=models.CASCADE, related_name="reports")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="reports")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    received_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    is_resolved = models.BooleanField(default=False, help_text="The sender said so, or its silence was taken for it.")
    is_stale = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["alert", "sender"], name="alerts_report_once_per_sender"),
            models.CheckConstraint(condition=Q(times__gte=1), name="alerts_report_times_positive"),
        ]
        indexes: ClassVar = [
            # the sweep of what ran out; not on ends_at: a re-send must not touch an index
            models.Index(fields=["sender"], condition=Q(is_resolved=False), name="alerts_report_open")
        ]

    def __str__(self) -> str:
        return f"{self.alert_id} by {self.sender_id}"


class EndedBy(models.TextChoices):
    SENDER = "sender", "the sender said so"
    EXPIRED = "expired", "its time ran out and it was never re-sent"
    MISSING = "missing", "its sender re-sent others without it"
    PROMETHEUS = "prometheus", "its Prometheus no longer has it"
    PERSON = "person", "a person resolved it"


class Episode(models.Model):
    """One time that an alert fired, from start to resolve, numbered per alert.

    `told_at`: when the first message about it was delivered. `acknowledged_at` is empty again where it was given back
    or timed out; `first_acknowledged_at` stays.
    """

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="episodes")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField(help_text="As the sender has it.")
    opened_at = models.DateTimeField(help_text="When we heard of it.")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=16, choices=EndedBy, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    first_acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    assigned_to = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    is_withheld = models.BooleanField(default=False, help_text="A silence, inhibition or maintenance withholds it.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["alert", "number"], name="alerts_episode_numbered"),
            models.UniqueConstraint(
                fields=["alert"], condition=Q(ended_at__isnull=True), name="alerts_episode_one_open"
            ),
            models.CheckConstraint(
                condition=Q(ended_by="", ended_at__isnull=True)
                | (Q(ended_at__isnull=False) & Q(ended_by__in=EndedBy.values)),
                name="alerts_episode_end_has_reason",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-opened_at"], name="alerts_episode_opened"),  # history page
            models.Index(  # acknowledgements that may time out
                fields=["acknowledged_at"],
                condition=Q(acknowledged_at__isnull=False, ended_at__isnull=True),
                name="alerts_episode_acknowledged",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alert_id} #{self.number}"


class EventKind(models.TextChoices):
    FIRED = "fired", "fired"
    RESOLVED = "resolved", "resolved"
    STALE = "stale", "became unknown"
    BACK = "back", "is heard of again"
    FLAPPING = "flapping", "began to flap"
    ACKNOWLEDGED = "acknowledged", "was acknowledged"
    TIMED_OUT = "timed_out", "is nobody's any more"
    ESCALATED = "escalated", "escalation"
    ASSIGNED = "assigned", "was assigned"
    COMMENTED = "commented", "comment"
    WITHHELD = "withheld", "is withheld"
    RELEASED = "released", "is no longer withheld"
    QUIET = "quiet", "resolved before anybody was told"
    TOLD = "told", "told"
    NOT_TOLD = "not_told", "could not be told"


class Event(models.Model):
    """One thing that happened to an alert. Written once, never changed; a re-send writes none."""

    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="events")
    episode = models.ForeignKey(Episode, null=True, blank=True, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=16, choices=EventKind)
    actor = models.CharField(max_length=200, blank=True, help_text="A person's or token's name; empty: ourselves.")
    note = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=EventKind.values), name="alerts_event_kind_known")
        ]
        indexes: ClassVar = [
            models.Index(fields=["alert", "at"], name="alerts_event_of_alert"),  # an alert's timeline, and flapping
            models.Index(fields=["-at"], name="alerts_event_at"),  # the history page
            models.Index(  # reports: on what people acted beside acknowledging, and what flapped
                fields=["at"],
                condition=Q(kind__in=["assigned", "commented", "withheld", "flapping"]),
                name="alerts_event_telling",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alert_id} {self.kind}"


class IntakeSpan(models.Model):
    """A stretch of time in which one web process could take alerts in; the union tells when intake was up."""

    instance = models.CharField(max_length=100)
    from_at = models.DateTimeField()
    until_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(until_at__gte=F("from_at")), name="alerts_intakespan_ends_after_start")
        ]
        indexes: ClassVar = [models.Index(fields=["until_at"], name="alerts_intakespan_until")]  # was it up since …?

    def __str__(self) -> str:
        return self.instance


class Clock(models.Model):
    """Shifts `app_now()`, the one clock of alerting. Empty outside of tests."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    fixed_at = models.DateTimeField(null=True, blank=True)
    shift = models.DurationField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="alerts_clock_one_row")]

    def __str__(self) -> str:
        return f"{self.fixed_at or 'now'} + {self.shift}"
