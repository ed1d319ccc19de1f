"""Our own rules with the state that survives restarts, and heartbeats."""

import secrets
from typing import ClassVar

from django.db import models
from django.db.models import Q

from fleetledger.fleet.models import Source, Team


class RuleKind(models.TextChoices):
    PROMQL = "promql", "PromQL"
    FACT = "fact", "Our own facts"


class Rule(models.Model):
    """A rule that we evaluate: an expression on a source, or a fact of our own by name, with `options`.

    `due_at` and `lease_until` let one evaluator take it at a time. `evaluated_at` is its last good evaluation: one
    that fails sets `last_error` and changes nothing else. `is_ours`: shipped with the product.
    """

    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="alert_rules")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=8, choices=RuleKind)
    source = models.ForeignKey(Source, null=True, blank=True, on_delete=models.CASCADE, related_name="alert_rules")
    expr = models.TextField(blank=True)
    fact = models.CharField(max_length=64, blank=True)
    options = models.JSONField(default=dict)
    for_s = models.FloatField(default=0)
    keep_firing_for_s = models.FloatField(default=0)
    interval_s = models.FloatField(default=60)
    labels = models.JSONField(default=dict)
    annotations = models.JSONField(default=dict)
    is_enabled = models.BooleanField(default=True)
    is_ours = models.BooleanField(default=False)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    evaluated_at = models.DateTimeField(null=True, blank=True)
    duration_s = models.FloatField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "name"], nulls_distinct=False, name="alerts_rule_once_per_tenant"),
            models.CheckConstraint(condition=Q(kind__in=RuleKind.values), name="alerts_rule_kind_known"),
            models.CheckConstraint(
                condition=(Q(kind="promql") & Q(source__isnull=False) & ~Q(expr="")) | (Q(kind="fact") & ~Q(fact="")),
                name="alerts_rule_has_what_it_asks",
            ),
            models.CheckConstraint(
                condition=Q(for_s__gte=0, keep_firing_for_s__gte=0, interval_s__gt=0),
                name="alerts_rule_durations_positive",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(is_enabled=True), name="alerts_rule_due")  # what is due
        ]

    def __str__(self) -> str:
        return self.name


class RuleInstance(models.Model):
    """One set of labels for which a rule holds, or held until `keep_until`: pending until `fired_at` is set.

    `team` is the tenant that is told: the rule's own, or the one whom a fact of the platform's rule concerns.
    """

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="instances")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    fingerprint = models.CharField(max_length=16)
    labels = models.JSONField()
    annotations = models.JSONField(default=dict)
    value = models.FloatField(null=True, blank=True)
    active_at = models.DateTimeField()
    fired_at = models.DateTimeField(null=True, blank=True)
    keep_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rule", "team", "fingerprint"], nulls_distinct=False, name="alerts_ruleinstance_once_per_rule"
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.fingerprint}"


def _heartbeat_key() -> str:
    return secrets.token_urlsafe(24)


class Heartbeat(models.Model):
    """An address that somebody must call every `interval_s`; missing it (with `grace_s`) is an alert."""

    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="heartbeats")
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=64, unique=True, default=_heartbeat_key)
    interval_s = models.FloatField()
    grace_s = models.FloatField(default=0)
    labels = models.JSONField(default=dict)
    annotations = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    last_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "name"], nulls_distinct=False, name="alerts_heartbeat_once_per_tenant"
            ),
            models.CheckConstraint(condition=Q(interval_s__gt=0, grace_s__gte=0), name="alerts_heartbeat_interval"),
        ]

    def __str__(self) -> str:
        return self.name
