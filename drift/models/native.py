"""The tables of what is computed here: references in versions, windows of rows, and events with their labels."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from drift.models.findings import Finding
from drift.models.models import Model
from drift.models.reports import Report


class DataFile(models.Model):
    """A Parquet or CSV file of rows as it came, in blocks. A window's blocks go once it is computed; this row stays."""

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="data_files")
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=200, blank=True)
    size_bytes = models.BigIntegerField()
    received_at = models.DateTimeField()
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    received_from = models.CharField(max_length=200, blank=True, help_text="The token, command or folder it came by.")

    def __str__(self) -> str:
        return self.name or self.digest[:12]


class DataBlock(models.Model):
    """Consecutive bytes of a file."""

    file = models.ForeignKey(DataFile, on_delete=models.CASCADE, related_name="blocks")
    position = models.IntegerField()
    content = models.BinaryField()

    class Meta:
        ordering: ClassVar = ["file_id", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["file", "position"], name="drift_datablock_once_per_position")
        ]

    def __str__(self) -> str:
        return f"{self.file_id}.{self.position}"


class ReferenceState(models.TextChoices):
    WAITING = "waiting", "Being read"
    UNREADABLE = "unreadable", "Unreadable"
    PROPOSED = "proposed", "Waits for a review"
    ACTIVE = "active", "Active"
    RETIRED = "retired", "Retired"
    REFUSED = "refused", "Refused"


class Reference(models.Model):
    """A version of the rows that a model's windows are compared with. What it holds never changes, only its state.

    States: 1. waiting for a worker, 2. unreadable, for good, or proposed, 3. active (one per model) or refused by a
    person, 4. retired by its successor. A model's first reference is active at once. `profile` has the buckets by
    column, `seasons` those of the parts of a week, `baseline` the metrics that labels of the reference gave.
    """

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="references")
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=ReferenceState, default=ReferenceState.WAITING)
    file = models.ForeignKey(DataFile, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    finding = models.ForeignKey(
        Finding,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="references",
        help_text="Whose windows became this version, where no file did.",
    )
    note = models.CharField(max_length=500, blank=True)
    trouble = models.CharField(max_length=1000, blank=True, help_text="Why it could not be read.")
    rows = models.BigIntegerField(default=0)
    columns = models.IntegerField(default=0)
    profile = models.JSONField(default=dict)
    seasons = models.JSONField(default=dict)
    baseline = models.JSONField(default=dict)
    window_from = models.DateTimeField(null=True, blank=True)
    window_to = models.DateTimeField(null=True, blank=True)
    job = models.ForeignKey("fleet.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    received_at = models.DateTimeField()
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    received_from = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=200, blank=True)
    decision_note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar = ["-version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["model", "version"], name="drift_reference_version_once"),
            models.UniqueConstraint(
                fields=["model"], condition=Q(state="active"), name="drift_reference_one_active_per_model"
            ),
            models.CheckConstraint(condition=Q(state__in=ReferenceState.values), name="drift_reference_state_known"),
            models.CheckConstraint(
                condition=Q(file__isnull=False) | Q(finding__isnull=False), name="drift_reference_comes_from_somewhere"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} reference {self.version}"


class WindowSource(models.TextChoices):
    FILE = "file", "A file of rows"
    EVENTS = "events", "Events"


class WindowState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    COMPUTED = "computed", "Computed"
    UNREADABLE = "unreadable", "Unreadable"


class DataWindow(models.Model):
    """Rows of a model from `window_from` up to `window_to`, as counts in the buckets of one reference.

    A file is one window and waits for a worker. Events of a window add up until it is over; late ones let it wait
    again. `report` is the newest that was computed of it.
    """

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="windows")
    reference = models.ForeignKey(Reference, null=True, blank=True, on_delete=models.PROTECT, related_name="windows")
    source = models.CharField(max_length=6, choices=WindowSource)
    state = models.CharField(max_length=10, choices=WindowState, default=WindowState.WAITING)
    window_from = models.DateTimeField()
    window_to = models.DateTimeField()
    file = models.ForeignKey(DataFile, null=True, blank=True, on_delete=models.PROTECT, related_name="windows")
    is_complete = models.BooleanField(default=True, help_text="Whether it holds all rows of its time.")
    rows = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict)
    trouble = models.CharField(max_length=1000, blank=True)
    report = models.OneToOneField(Report, null=True, blank=True, on_delete=models.SET_NULL, related_name="data_window")
    job = models.ForeignKey("fleet.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    received_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-window_to", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(window_to__gt=F("window_from")), name="drift_datawindow_is_a_time"),
            models.CheckConstraint(condition=Q(state__in=WindowState.values), name="drift_datawindow_state_known"),
            models.UniqueConstraint(
                fields=["model", "window_from", "window_to"],
                condition=Q(source="events"),
                name="drift_datawindow_events_once",
            ),
            models.UniqueConstraint(
                fields=["model", "window_from", "window_to", "file"],
                condition=Q(source="file"),
                name="drift_datawindow_file_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["model", "-window_to", "-id"], name="drift_datawindow_of_model"),
            models.Index(fields=["window_to"], condition=Q(state="waiting"), name="drift_datawindow_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.window_from} to {self.window_to}"


class SeenObject(models.Model):
    """An object of a watched store that was taken, or refused for `trouble`. Another size or time is another object."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="seen_objects")
    path = models.CharField(max_length=1100)
    size = models.BigIntegerField()
    modified_at = models.DateTimeField()
    taken_at = models.DateTimeField()
    trouble = models.CharField(max_length=1000, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["model", "path", "size", "modified_at"], name="drift_seenobject_once")
        ]

    def __str__(self) -> str:
        return self.path


class EventBatch(models.Model):
    """Events as a program sent them, compressed until they are counted. `key` makes a second sending known."""

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="batches")
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    events = models.IntegerField()
    content = models.BinaryField()
    received_at = models.DateTimeField()
    received_from = models.CharField(max_length=200, blank=True)
    counted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["model", "key"], name="drift_eventbatch_once_per_key")]
        indexes: ClassVar = [
            models.Index(fields=["model", "id"], condition=Q(counted_at__isnull=True), name="drift_eventbatch_waiting")
        ]

    def __str__(self) -> str:
        return f"{self.events} events of {self.model}"


class Prediction(models.Model):
    """A prediction that has an id, so that its label finds it later. Values are text: "1" and 1 are one class."""

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="predictions")
    event = models.CharField(max_length=200)
    at = models.DateTimeField(null=True, blank=True, help_text="Unknown while only its label came.")
    value = models.CharField(max_length=500, null=True, blank=True)  # noqa: DJ001 null is unknown
    score = models.FloatField(null=True, blank=True)
    label = models.CharField(max_length=500, null=True, blank=True)  # noqa: DJ001 null is unknown
    labelled_at = models.DateTimeField(null=True, blank=True)
    is_weighed = models.BooleanField(default=False, help_text="Whether its loss went into the watch for concept drift.")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["model", "event"], name="drift_prediction_once")]
        indexes: ClassVar = [
            models.Index(fields=["model", "at"], name="drift_prediction_by_time"),
            models.Index(
                fields=["model", "labelled_at", "id"],
                condition=Q(is_weighed=False, label__isnull=False, value__isnull=False),
                name="drift_prediction_unweighed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.event}"


class ConceptWatch(models.Model):
    """Where the watch for concept drift of a model stands between two batches of labels."""

    model = models.OneToOneField(Model, on_delete=models.CASCADE, related_name="concept_watch")
    state = models.JSONField(default=dict)
    rows = models.BigIntegerField(default=0)
    until = models.DateTimeField(null=True, blank=True, help_text="The end of the last file whose labels went in.")

    def __str__(self) -> str:
        return f"concept watch of {self.model_id}"
