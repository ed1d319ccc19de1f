"""Components with their probes, and what was seen of them: slots joined to intervals, days, changes and facts."""

import secrets
from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from fleetledger.fleet.models import Source, Team
from monitoring.availability.states import SlotState, State


class ComponentKind(models.TextChoices):
    CLUSTER = "cluster", "Cluster"
    SERVICE = "service", "Service"
    REPLICA = "replica", "Replica"
    EXPORTER = "exporter", "Exporter"
    DATABASE = "database", "Database"
    NODE = "node", "Node"
    SERVING = "serving", "Model serving"
    OWN = "own", "Our own part"


class Component(models.Model):
    """Something that is up or not. `team` None: the platform's. Removed ones stay for the history.

    `needs`: of its children (of its series, where it has no children) so many must be healthy; None: see `figures`.
    `zone` is its failure domain. `alert_after_s`: for how long it is down before somebody is told.
    """

    name = models.SlugField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=ComponentKind, default=ComponentKind.SERVICE)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="components")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children")
    zone = models.CharField(max_length=100, blank=True)
    needs = models.PositiveIntegerField(null=True, blank=True)
    description = models.CharField(max_length=300, blank=True)
    runbook_url = models.CharField(max_length=2000, blank=True)
    alert = models.BooleanField(default=True)
    alert_after_s = models.PositiveIntegerField(default=60)
    severity = models.CharField(max_length=32, default="critical")
    is_public = models.BooleanField(default=False)
    public_title = models.CharField(max_length=200, blank=True)
    is_builtin = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["position", "name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="availability_component_has_name"),
            models.CheckConstraint(condition=Q(kind__in=ComponentKind.values), name="availability_component_kind"),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="availability_component_not_own_parent"),
            models.CheckConstraint(
                condition=Q(needs__isnull=True) | Q(needs__gte=1), name="availability_component_needs_one"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MaintenanceWindow(models.Model):
    """Planned work on a component and all below it: its time counts neither for nor against it."""

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="maintenance")
    from_at = models.DateTimeField()
    until_at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(until_at__gte=F("from_at")), name="availability_maintenance_ends_after")
        ]
        indexes: ClassVar = [  # those that touch a stretch of time
            models.Index(fields=["component", "until_at"], name="availability_maintenance_of")
        ]

    def __str__(self) -> str:
        return f"{self.component_id} from {self.from_at}"


class ProbeKind(models.TextChoices):
    PROMQL = "promql", "PromQL"
    HTTP = "http", "HTTP"
    TCP = "tcp", "TCP"
    TLS = "tls", "TLS"
    HEARTBEAT = "heartbeat", "Heartbeat"
    KUBERNETES = "kubernetes", "Kubernetes"
    SELF = "self", "Ourselves"


def _token() -> str:
    return secrets.token_urlsafe(24)


class Probe(models.Model):
    """How a component is looked at. `due_at` and `lease_until` let one process take it at a time.

    `read_until_at`: up to where samples that somebody else keeps were read.
    `failure`: why the last asking gave nothing at all (unknown, not down); `detail`: what was last seen.
    `token` is in the address that a heartbeat's sender calls; `beat_at`: when it last did.
    """

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="probes")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=16, choices=ProbeKind)
    source = models.ForeignKey(Source, null=True, blank=True, on_delete=models.PROTECT, related_name="probes")
    spec = models.JSONField(default=dict)
    interval_s = models.PositiveIntegerField(default=30)
    timeout_s = models.FloatField(default=5)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    read_until_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    failure = models.TextField(blank=True)
    detail = models.TextField(blank=True)
    token = models.CharField(max_length=64, unique=True, default=_token)
    beat_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["component_id", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["component", "name"], name="availability_probe_once"),
            models.CheckConstraint(condition=Q(kind__in=ProbeKind.values), name="availability_probe_kind"),
            models.CheckConstraint(condition=Q(interval_s__gte=1, timeout_s__gt=0), name="availability_probe_times"),
            models.CheckConstraint(
                condition=~Q(kind__in=["promql", "kubernetes"]) | Q(source__isnull=False),
                name="availability_probe_has_source",
            ),
        ]
        indexes: ClassVar = [  # what is due
            models.Index(fields=["due_at"], condition=Q(removed_at__isnull=True), name="availability_probe_due")
        ]

    def __str__(self) -> str:
        return f"{self.component_id}/{self.name}"


class Series(models.Model):
    """One thing that a probe sees, while it is expected. Slot k is [first_at + k * interval, + interval).

    What comes back after its end is a new series with the same `key`. `last_at` is the nominal instant of the last
    slot; `state` and `detail` are what that slot says.
    """

    probe = models.ForeignKey(Probe, on_delete=models.CASCADE, related_name="series")
    labels = models.JSONField(default=dict)
    key = models.CharField(max_length=16)
    interval_s = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=SlotState)
    detail = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["probe_id", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["probe", "key", "first_at"], name="availability_series_once"),
            models.UniqueConstraint(
                fields=["probe", "key"], condition=Q(ended_at__isnull=True), name="availability_series_one_open"
            ),
            models.CheckConstraint(condition=Q(state__in=SlotState.values), name="availability_series_state"),
            models.CheckConstraint(condition=Q(interval_s__gte=1), name="availability_series_interval"),
            models.CheckConstraint(
                condition=Q(last_at__gte=F("first_at")) & (Q(ended_at__isnull=True) | Q(ended_at__gte=F("first_at"))),
                name="availability_series_times",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.probe_id} {self.key}"


class StateInterval(models.Model):
    """Consecutive slots of a series that say the same: half-open, whole slots."""

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="intervals")
    from_at = models.DateTimeField()
    until_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=SlotState)
    detail = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["series", "from_at"], name="availability_interval_once"),
            models.CheckConstraint(condition=Q(until_at__gt=F("from_at")), name="availability_interval_ends_after"),
            models.CheckConstraint(condition=Q(state__in=SlotState.values), name="availability_interval_state"),
        ]
        indexes: ClassVar = [  # those that touch a stretch of time
            models.Index(fields=["series", "until_at"], include=["from_at", "state"], name="availability_interval_of")
        ]

    def __str__(self) -> str:
        return f"{self.series_id} {self.state} from {self.from_at}"


class ComponentDay(models.Model):
    """A component's seconds on one day in UTC, as `figures.Tally` has them; `rollup` alone writes it."""

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    up_s = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    degraded_s = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    down_s = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    maintenance_s = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    idle_s = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    unknown_s = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    expected_s = models.DecimalField(max_digits=18, decimal_places=6, default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["component", "day"], name="availability_day_once"),
            models.CheckConstraint(
                condition=Q(expected_s=F("up_s") + F("degraded_s") + F("down_s") + F("unknown_s")),
                name="availability_day_adds_up",
            ),
        ]
        indexes: ClassVar = [  # the last days of all: they lie together, as they are written day by day
            BrinIndex(fields=["day"], name="availability_days_of_all", pages_per_range=32)
        ]

    def __str__(self) -> str:
        return f"{self.component_id} on {self.day}"


class Transition(models.Model):
    """A component's change from one state to another, as it was seen."""

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="transitions")
    at = models.DateTimeField()
    from_state = models.CharField(max_length=16, choices=State)
    to_state = models.CharField(max_length=16, choices=State)
    why = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["at", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(from_state__in=State.values, to_state__in=State.values),
                name="availability_transition_states",
            ),
            models.CheckConstraint(condition=~Q(from_state=F("to_state")), name="availability_transition_changes"),
        ]
        indexes: ClassVar = [  # the last one of a component, and its history
            models.Index(fields=["component", "-at", "-id"], name="availability_transition_last")
        ]

    def __str__(self) -> str:
        return f"{self.component_id} {self.to_state} at {self.at}"


class Evidence(models.Model):
    """The last of a fact about a component: replicas_ready, replication_lag_s, leader, backup_age_s and so on.

    Older than 2.5 times `interval_s` it is shown grey, with its time.
    """

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="evidence")
    key = models.CharField(max_length=64)
    value = models.FloatField(null=True, blank=True)
    text = models.CharField(max_length=300, blank=True)
    unit = models.CharField(max_length=16, blank=True)
    at = models.DateTimeField()
    interval_s = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["component_id", "key"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["component", "key"], name="availability_fact_once")]

    def __str__(self) -> str:
        return f"{self.component_id} {self.key}"


class FactChange(models.Model):
    """A fact in words that became another: a new leader, say."""

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="fact_changes")
    key = models.CharField(max_length=64)
    at = models.DateTimeField()
    before = models.CharField(max_length=300)
    after = models.CharField(max_length=300)

    class Meta:
        ordering: ClassVar = ["at", "id"]
        indexes: ClassVar = [  # the latest of a component
            models.Index(fields=["component", "-at"], name="availability_factchange_of")
        ]

    def __str__(self) -> str:
        return f"{self.component_id} {self.key} at {self.at}"
