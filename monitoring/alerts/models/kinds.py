"""The kinds of channels by which somebody or something can be told."""

from django.db import models


class ChannelKind(models.TextChoices):
    WEBHOOK = "webhook", "Webhook"
    EMAIL = "email", "Mail"
    SLACK = "slack", "Slack"
    PAGERDUTY = "pagerduty", "PagerDuty"
    APPRISE = "apprise", "Apprise"
