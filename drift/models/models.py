"""The table of models: what runs, whose it is, and how its drift is watched."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from fleetledger.fleet.models import Team


class WindowGrain(models.TextChoices):
    HOUR = "hour", "Hour"
    DAY = "day", "Day"
    WEEK = "week", "Week"
    MONTH = "month", "Month"


class Model(models.Model):
    """A machine-learning model that a team runs. One that the configuration drops is removed, its history stays.

    `retrain_match` names the workloads that retrain it (keys as in `ownership`); `retrain_webhook` is an address with
    references to secrets. `settings` holds recipe, q and thresholds by column, `data` what its columns mean.
    """

    name = models.CharField(max_length=100, unique=True)
    owner = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="models")
    description = models.CharField(max_length=300, blank=True)
    is_production = models.BooleanField(default=False)
    importance = models.PositiveSmallIntegerField(default=3)
    pool = models.CharField(max_length=200, blank=True)
    retrain_match = models.JSONField(default=dict, blank=True)
    retrain_webhook = models.JSONField(default=dict, blank=True)
    expected_every_s = models.PositiveBigIntegerField(null=True, blank=True)
    window_grain = models.CharField(max_length=5, choices=WindowGrain, default=WindowGrain.DAY)
    watch = models.CharField(max_length=500, blank=True, help_text="A folder whose reports are taken in.")
    settings = models.JSONField(default=dict, blank=True)
    data = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="drift_model_has_name"),
            models.CheckConstraint(condition=Q(importance__range=(1, 5)), name="drift_model_importance_1_to_5"),
            models.CheckConstraint(condition=Q(window_grain__in=WindowGrain.values), name="drift_model_grain_known"),
            models.CheckConstraint(
                condition=Q(expected_every_s__isnull=True) | Q(expected_every_s__gte=1),
                name="drift_model_expected_every_is_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name
