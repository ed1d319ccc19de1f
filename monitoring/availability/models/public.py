"""Who wants to be told of what the public page says, by mail or by webhook."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from monitoring.alerts.models import ChannelKind


class Subscription(models.Model):
    """An address that asked to be told. It is told nothing but the way to confirm until it has confirmed.

    `digest`: a keyed digest of the address, by which it is found again; the address itself lies sealed in `address`.
    `nonce` is in the links that it is sent: a link of before an end is good no more. `tries`: confirmations that were
    sent and asked for since `tried_at`.
    """

    kind = models.CharField(max_length=16, choices=ChannelKind)
    digest = models.CharField(max_length=64)
    address = models.JSONField()
    shown = models.CharField(max_length=100, help_text="The address with most of it left out.")
    secret = models.JSONField(default=dict, help_text="Signs what a webhook is told; sealed.")
    nonce = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    tried_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "digest"], name="availability_subscription_once"),
            models.CheckConstraint(
                condition=Q(kind__in=[ChannelKind.EMAIL, ChannelKind.WEBHOOK]), name="availability_subscription_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.shown}"


class PublicNews(models.Model):
    """Something that the public page says and subscribers are told once: `ref` names it."""

    ref = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField()
    text = models.TextField()

    def __str__(self) -> str:
        return self.ref
