"""Incidents: what went wrong, who did what when, what is still to be done, and what was learned."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from fleetledger.fleet.models import Team, User
from monitoring.alerts.models import Episode
from monitoring.availability.models.components import Component


class Severity(models.TextChoices):
    SEV1 = "sev1", "SEV 1"
    SEV2 = "sev2", "SEV 2"
    SEV3 = "sev3", "SEV 3"


class IncidentState(models.TextChoices):
    """`mitigated`: users are no longer hurt, the work goes on."""

    OPEN = "open", "Open"
    MITIGATED = "mitigated", "Mitigated"
    RESOLVED = "resolved", "Resolved"


class IncidentRule(models.Model):
    """Which alerts open an incident. `team` None: those of every tenant; the incident is its alert's tenant's.

    Alerts that agree in the labels of `group_by` belong to one incident while it is not resolved. One that is
    mitigated and heard no alert for `resolve_after_s` is resolved by itself; None: by a person only.
    """

    name = models.CharField(max_length=200, unique=True)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    matchers = models.JSONField(default=list)
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.SEV2)
    group_by = models.JSONField(default=list)
    resolve_after_s = models.PositiveIntegerField(null=True, blank=True)
    is_public = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["position", "name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="availability_incidentrule_severity")
        ]

    def __str__(self) -> str:
        return self.name


class Incident(models.Model):
    """One time that something went wrong. `team` None: the platform's.

    `key` says which alerts belong to it (empty: opened by a person): of one tenant one incident of a key is not
    resolved. `quiet_at`: since when all of its alerts have ended. The public texts are shown to everybody.
    """

    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="incidents")
    title = models.CharField(max_length=200)
    severity = models.CharField(max_length=8, choices=Severity)
    state = models.CharField(max_length=16, choices=IncidentState, default=IncidentState.OPEN)
    key = models.CharField(max_length=64, blank=True)
    rule = models.ForeignKey(IncidentRule, null=True, blank=True, on_delete=models.SET_NULL, related_name="incidents")
    opened_at = models.DateTimeField()
    mitigated_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    quiet_at = models.DateTimeField(null=True, blank=True)
    opened_by = models.CharField(max_length=200, blank=True, help_text="A person's or token's name; empty: ourselves.")
    is_public = models.BooleanField(default=False)
    public_title = models.CharField(max_length=200, blank=True)
    public_text = models.TextField(blank=True)
    components = models.ManyToManyField(Component, related_name="incidents")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(title=""), name="availability_incident_has_title"),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="availability_incident_severity"),
            models.CheckConstraint(
                condition=Q(state="open", mitigated_at__isnull=True, resolved_at__isnull=True)
                | Q(state="mitigated", mitigated_at__isnull=False, resolved_at__isnull=True)
                | Q(state="resolved", resolved_at__isnull=False),
                name="availability_incident_state_has_time",
            ),
            models.CheckConstraint(
                condition=(Q(mitigated_at__isnull=True) | Q(mitigated_at__gte=F("opened_at")))
                & (Q(resolved_at__isnull=True) | Q(resolved_at__gte=F("opened_at"))),
                name="availability_incident_ends_after",
            ),
            models.UniqueConstraint(
                fields=["team", "key"],
                condition=~Q(state="resolved") & ~Q(key=""),
                nulls_distinct=False,
                name="availability_incident_once_open",
            ),
        ]
        indexes: ClassVar = [
            # those that are not over: the list, the timeline's task, the public page
            models.Index(fields=["team"], condition=~Q(state="resolved"), name="availability_incident_live"),
            models.Index(fields=["-resolved_at"], condition=Q(is_public=True), name="availability_incident_public"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.title}"


class IncidentAlert(models.Model):
    """An alert's episode that belongs to an incident; what it said is kept when the alert is forgotten."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="alerts")
    episode = models.OneToOneField(
        Episode, null=True, blank=True, on_delete=models.SET_NULL, related_name="incident_link"
    )
    name = models.CharField(max_length=200)
    labels = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["started_at", "id"]

    def __str__(self) -> str:
        return f"{self.name} in {self.incident_id}"


class EntryKind(models.TextChoices):
    ALERT = "alert", "Alert"
    CHANGE = "change", "Change"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    STATE = "state", "State"
    NOTE = "note", "Note"
    ROLE = "role", "Role"
    UPDATE = "update", "Public update"
    FOLLOW_UP = "follow_up", "Follow-up"


class IncidentEntry(models.Model):
    """One line of an incident's timeline: written once, never changed.

    `ref` names what it was taken from (event:17, transition:4), so that it is taken once; empty for what people write.
    """

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="entries")
    at = models.DateTimeField()
    kind = models.CharField(max_length=16, choices=EntryKind)
    text = models.TextField()
    actor = models.CharField(max_length=200, blank=True, help_text="A person's or token's name; empty: ourselves.")
    tone = models.CharField(max_length=8, blank=True)
    ref = models.CharField(max_length=64, blank=True)
    alert_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["at", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=EntryKind.values), name="availability_entry_kind"),
            models.UniqueConstraint(
                fields=["incident", "ref"], condition=~Q(ref=""), name="availability_entry_taken_once"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["incident", "at"], name="availability_entry_of")]  # a timeline

    def __str__(self) -> str:
        return f"{self.incident_id} {self.kind} at {self.at}"


class RoleKind(models.TextChoices):
    COMMANDER = "commander", "Commander"
    COMMUNICATIONS = "communications", "Communications"
    SCRIBE = "scribe", "Scribe"


class IncidentRole(models.Model):
    """Who has a role in an incident now; the timeline keeps who had it before."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="roles")
    role = models.CharField(max_length=16, choices=RoleKind)
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    since_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["incident", "role"], name="availability_role_once"),
            models.CheckConstraint(condition=Q(role__in=RoleKind.values), name="availability_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.incident_id}"


class FollowUp(models.Model):
    """Something to be done because of an incident."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="follow_ups")
    text = models.CharField(max_length=500)
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    due_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.incident_id}: {self.text}"


class Postmortem(models.Model):
    """What was learned, in Markdown. `version` grows with each change: who changes an older one is told."""

    incident = models.OneToOneField(Incident, on_delete=models.CASCADE, related_name="postmortem")
    text = models.TextField()
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=200, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"postmortem of {self.incident_id}"
