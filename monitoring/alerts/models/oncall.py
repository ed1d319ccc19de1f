"""Whom we may wake, and when: contact methods, personal rules, schedules with what people change in them."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from fleetledger.fleet.models import Team, User
from monitoring.alerts.models.kinds import ChannelKind


class ContactMethod(models.Model):
    """One way to reach a person. Never used before it is verified; removed ones stay for the history.

    `config` is a receiver's entry of `kind`, with what is secret sealed; `shown` tells it from others and holds no
    secret. `position`: the order in which its owner has them. `vouched_by`: who said that it is right, where nobody
    proved it by a code.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="contact_methods")
    kind = models.CharField(max_length=16, choices=ChannelKind)
    label = models.CharField(max_length=100)
    shown = models.CharField(max_length=300, blank=True)
    config = models.JSONField(default=dict)
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True, blank=True)
    vouched_by = models.CharField(max_length=200, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=ChannelKind.values), name="alerts_contact_kind_known"),
            models.UniqueConstraint(
                fields=["user", "label"], condition=Q(removed_at__isnull=True), name="alerts_contact_label_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["user", "position"], condition=Q(removed_at__isnull=True), name="alerts_contact_of_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} by {self.kind}"


class ContactTrial(models.Model):
    """A message by which a contact method was tried: with a code for its owner to type, or without: a test.

    The code itself is not kept. `tries` counts answers; `told` says what the channel made of it, in words.
    """

    method = models.ForeignKey(ContactMethod, on_delete=models.CASCADE, related_name="trials")
    digest = models.CharField(max_length=64, blank=True)
    sent_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    is_delivered = models.BooleanField(default=False)
    told = models.TextField(blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["method", "-sent_at"], name="alerts_trial_newest")]

    def __str__(self) -> str:
        return f"trial of {self.method_id}"


class PersonalRule(models.Model):
    """How a person wants to be paged: by this method, so long after the page began. None: all methods in order."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="page_rules")
    method = models.ForeignKey(ContactMethod, on_delete=models.CASCADE, related_name="rules")
    after_s = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "method", "after_s"], name="alerts_personalrule_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} after {self.after_s} s"


class QuietHours(models.Model):
    """When a person wants no page but a critical one, in the person's own time zone; over midnight where until < from.

    `days`: on which days (0 Monday … 6 Sunday) they begin.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="quiet_hours")
    from_time = models.TimeField()
    until_time = models.TimeField()
    days = ArrayField(models.PositiveSmallIntegerField(), default=list)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(from_time=F("until_time")), name="alerts_quiethours_not_empty"),
            models.CheckConstraint(
                condition=Q(days__contained_by=list(range(7))), name="alerts_quiethours_days_of_a_week"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.from_time} to {self.until_time}"


class Schedule(models.Model):
    """Who is on call when: layers of rotations as the configuration has them, the later ones on top.

    One that was removed stays for the history of its overrides and swaps; the configuration may bring it back.
    `fallback` says who is paged where nobody is on call: {"person": NAME}, {"team": SLUG} or {"receiver": NAME}; empty:
    the tenant's root receiver.
    """

    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="schedules")
    name = models.CharField(max_length=200, unique=True)
    description = models.CharField(max_length=300, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    layers = models.JSONField(default=list)
    fallback = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class CalendarFeed(models.Model):
    """The iCal text that a layer's address gave when it was last read well.

    `url`: {"url": ADDRESS}, or where the configuration says that the address lies: {"env": NAME} or {"file": PATH}.
    """

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="feeds")
    layer = models.CharField(max_length=200)
    url = models.JSONField(default=dict)
    text = models.TextField(blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["schedule", "layer"], name="alerts_feed_once")]

    def __str__(self) -> str:
        return f"{self.schedule_id}/{self.layer}"


class SwapState(models.TextChoices):
    OPEN = "open", "Open"
    TAKEN = "taken", "Taken"
    DECLINED = "declined", "Declined"
    CANCELLED = "cancelled", "Taken back"


class Swap(models.Model):
    """Somebody asks another, or anybody, to take a shift; `back`: which one is taken in return, if any."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="swaps")
    asked_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    asked_of = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    from_at = models.DateTimeField()
    until_at = models.DateTimeField()
    back_from_at = models.DateTimeField(null=True, blank=True)
    back_until_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=16, choices=SwapState, default=SwapState.OPEN)
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    taken_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(until_at__gt=F("from_at")), name="alerts_swap_ends_after_start"),
            models.CheckConstraint(
                condition=Q(back_from_at__isnull=True, back_until_at__isnull=True)
                | Q(back_until_at__gt=F("back_from_at")),
                name="alerts_swap_back_ends_after_start",
            ),
            models.CheckConstraint(condition=Q(state__in=SwapState.values), name="alerts_swap_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} {self.state}"


class Override(models.Model):
    """One person instead of whoever the layers have, from one instant to another; of two the later made one counts."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="overrides")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    from_at = models.DateTimeField()
    until_at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)
    swap = models.ForeignKey(Swap, null=True, blank=True, on_delete=models.SET_NULL, related_name="overrides")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(until_at__gt=F("from_at")), name="alerts_override_ends_after_start")
        ]
        indexes: ClassVar = [  # those that touch a stretch of time
            models.Index(
                fields=["schedule", "until_at"], condition=Q(cancelled_at__isnull=True), name="alerts_override_in_force"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} from {self.from_at}"
