"""What withholds notifications on purpose: silences and maintenance windows, per tenant."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from fleetledger.fleet.models import Team, User


class Silence(models.Model):
    """Alertmanager's silence. `matchers`: [{name, value, isRegex, isEqual}]. Ending early sets `ends_at`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="silences")
    matchers = models.JSONField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    comment = models.TextField()
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gte=F("starts_at")), name="alerts_silence_ends_after_start")
        ]
        indexes: ClassVar = [models.Index(fields=["team", "ends_at"], name="alerts_silence_live")]  # those in force

    def __str__(self) -> str:
        return str(self.id)


class Maintenance(models.Model):
    """Planned work: withholds as a silence does, and says so on pages. `matchers` as in a silence."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="maintenance_windows")
    name = models.CharField(max_length=200)
    matchers = models.JSONField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    comment = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="alerts_maintenance_ends_after_start")
        ]
        indexes: ClassVar = [models.Index(fields=["team", "ends_at"], name="alerts_maintenance_live")]  # in force

    def __str__(self) -> str:
        return self.name
