"""Who is told: routing trees, destinations, groups, and the outbox with every attempt."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from fleetledger.fleet.models import Team
from monitoring.alerts.models.alerts import Alert, Episode
from monitoring.alerts.models.escalation import Escalation, Page, Run
from monitoring.alerts.models.kinds import ChannelKind
from monitoring.alerts.models.oncall import ContactMethod


class Tree(models.Model):
    """A tenant's routing as its configuration has it. A team without one takes the platform's (team none).

    The parts are the configuration file's own documents, secrets as references.
    """

    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    route = models.JSONField()
    receivers = models.JSONField(default=list)
    inhibit_rules = models.JSONField(default=list)
    time_intervals = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=1)
    applied_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team"], nulls_distinct=False, name="alerts_tree_once_per_tenant")
        ]

    def __str__(self) -> str:
        return f"tree {self.team_id} v{self.version}"


class Destination(models.Model):
    """One place that can be told, with its lane: failures in a row open its breaker until `open_until`.

    Of a tree it is an entry of a receiver, known by tree, receiver, kind and place within the kind. Of a person it is
    a contact method, and `receiver` is the person's user name. Of an escalation it is a step's webhook, and `receiver`
    is the escalation's name. Of a room above it is what `outside` names, such as subscription:12. `config` is the
    entry, secrets as references. `is_guarded`: it reaches no internal address that an admin did not allow.
    """

    tree = models.ForeignKey(Tree, null=True, blank=True, on_delete=models.CASCADE, related_name="destinations")
    contact = models.OneToOneField(
        ContactMethod, null=True, blank=True, on_delete=models.CASCADE, related_name="destination"
    )
    escalation = models.ForeignKey(
        Escalation, null=True, blank=True, on_delete=models.CASCADE, related_name="destinations"
    )
    outside = models.CharField(max_length=100, blank=True)
    is_guarded = models.BooleanField(default=False)
    receiver = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=ChannelKind)
    place = models.PositiveSmallIntegerField(default=0)
    config = models.JSONField(default=dict)
    send_resolved = models.BooleanField(default=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True, blank=True)
    last_delivered_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)
    canary_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tree", "receiver", "kind", "place"], name="alerts_destination_once_per_receiver"
            ),
            models.CheckConstraint(condition=Q(kind__in=ChannelKind.values), name="alerts_destination_kind_known"),
            models.CheckConstraint(
                condition=Q(tree__isnull=False, contact__isnull=True, escalation__isnull=True, outside="")
                | Q(tree__isnull=True, contact__isnull=False, escalation__isnull=True, outside="")
                | Q(tree__isnull=True, contact__isnull=True, escalation__isnull=False, outside="")
                | (Q(tree__isnull=True, contact__isnull=True, escalation__isnull=True) & ~Q(outside="")),
                name="alerts_destination_of_one",
            ),
            models.UniqueConstraint(
                fields=["outside"], condition=~Q(outside=""), name="alerts_destination_once_outside"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.receiver}/{self.kind}/{self.place}"


class Group(models.Model):
    """Alerts of one tenant that one route puts into one message. `tick_at`: when it is next looked at; null: empty."""

    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=64, help_text="SHA-256 of route and labels.")
    route = models.CharField(max_length=1000, help_text="The route's path, as Alertmanager's group key has it.")
    receiver = models.CharField(max_length=200)
    labels = models.JSONField()
    group_interval_s = models.FloatField()
    repeat_interval_s = models.FloatField()
    tick_at = models.DateTimeField(null=True, blank=True)
    has_ticked = models.BooleanField(default=False)
    alerts = models.ManyToManyField(Alert, through="GroupMember", related_name="groups")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "key"], nulls_distinct=False, name="alerts_group_once_per_tenant")
        ]
        indexes: ClassVar = [
            models.Index(fields=["tick_at"], condition=Q(tick_at__isnull=False), name="alerts_group_due")  # what is due
        ]

    def __str__(self) -> str:
        return f"{self.route}:{self.labels}"


class GroupMember(models.Model):
    """An alert in a group, until its end was told or is not to be told."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="members")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["group", "alert"], name="alerts_groupmember_once")]

    def __str__(self) -> str:
        return f"{self.alert_id} in {self.group_id}"


class Told(models.Model):
    """What a destination was told of an episode through a group: queued, attempted, delivered; start and end apart."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="told")
    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="told")
    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="told")
    firing_queued_at = models.DateTimeField()
    firing_attempted_at = models.DateTimeField(null=True, blank=True)
    firing_delivered_at = models.DateTimeField(null=True, blank=True)
    resolved_queued_at = models.DateTimeField(null=True, blank=True)
    resolved_delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "destination", "episode"], name="alerts_told_once")
        ]
        indexes: ClassVar = [
            models.Index(  # at each tick: what was told as firing and not yet as resolved
                fields=["group"], condition=Q(resolved_queued_at__isnull=True), name="alerts_told_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.episode_id} to {self.destination_id}"


class Notified(models.Model):
    """When a group last queued a message for a destination, by the group's tick: the repeat interval counts from it."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="notified")
    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="+")
    last_tick_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["group", "destination"], name="alerts_notified_once")]

    def __str__(self) -> str:
        return f"{self.group_id} to {self.destination_id}"


class MessageKind(models.TextChoices):
    FIRING = "firing", "Firing"
    RESOLVED = "resolved", "Resolved"
    PAGE = "page", "Page"
    FALLBACK = "fallback", "Fallback"
    TEST = "test", "Test"
    CANARY = "canary", "Canary"
    NOTICE = "notice", "Notice"


class MessageState(models.TextChoices):
    QUEUED = "queued", "Waiting"
    SENT = "sent", "Delivered"
    DEAD = "dead", "Refused"
    SUPERSEDED = "superseded", "Replaced by a newer one"
    WITHHELD = "withheld", "Withheld"
    DROPPED = "dropped", "Not needed"


class OutboxMessage(models.Model):
    """A message that must be delivered once. The database is the truth; a worker only holds it for a lease.

    `key` is the Idempotency-Key, equal on every try. `fence` grows with each claim: who lost it marks nothing.
    A notice tells a person something that is about no alert: its `body` has a note alone.
    `run`: the escalation that pages with it, and `page`: whom, where that is a person; such a message has no group and
    stands for itself.
    `body`: {"alerts": [...], "note": ...} as monitoring.alerts.message packs it.
    """

    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="messages")
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.SET_NULL, related_name="messages")
    page = models.ForeignKey(Page, null=True, blank=True, on_delete=models.SET_NULL, related_name="messages")
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="messages")
    kind = models.CharField(max_length=16, choices=MessageKind)
    dedupe_key = models.CharField(max_length=200, unique=True)
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    body = models.JSONField()
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=MessageState, default=MessageState.QUEUED)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    fallback_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=MessageKind.values), name="alerts_outbox_kind_known"),
            models.CheckConstraint(condition=Q(state__in=MessageState.values), name="alerts_outbox_state_known"),
            models.CheckConstraint(
                condition=Q(state="queued", finished_at__isnull=True)
                | (~Q(state="queued") & Q(finished_at__isnull=False)),
                name="alerts_outbox_finished_has_time",
            ),
        ]
        indexes: ClassVar = [
            # the oldest unfinished of each (destination, group), and what is due
            models.Index(
                fields=["destination", "group", "id"], condition=Q(state="queued"), name="alerts_outbox_waiting"
            ),
            models.Index(fields=["-created_at"], name="alerts_outbox_created"),  # the deliveries page
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Attempt(models.Model):
    """One try to deliver a message: begun before its first byte, ended with the answer or never."""

    message = models.ForeignKey(OutboxMessage, on_delete=models.CASCADE, related_name="attempts")
    fence = models.PositiveIntegerField()
    sending_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    is_delivered = models.BooleanField(default=False)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.TextField(blank=True)
    episodes = models.ManyToManyField(Episode, related_name="attempts", help_text="Those it tells as firing.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message", "fence"], name="alerts_attempt_once_per_fence")
        ]
        indexes: ClassVar = [models.Index(fields=["-sending_at"], name="alerts_attempt_sending")]  # latest receipts

    def __str__(self) -> str:
        return f"{self.message_id} try {self.fence}"
