"""The tables of what was delivered: files with their bytes, immutable bill rows, quarantine and conformance."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from costs.fields import ExactDecimalField
from fleetledger.fleet.models import Source


class DeliveryMode(models.TextChoices):
    OVERWRITE = "overwrite", "Overwrite"
    APPEND = "append", "Append"


class DeliveryState(models.TextChoices):
    RECEIVED = "received", "Received"
    IMPORTED = "imported", "Imported"
    REFUSED = "refused", "Refused"


class Delivery(models.Model):
    """One file of a bill, known by its bytes. Files given together share a `batch` and do not replace each other.

    States: 1. received (bytes stored), 2. imported (rows stored) or refused (with a sentence in `error`).
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="deliveries")
    sha256 = models.CharField(max_length=64)
    file_name = models.CharField(max_length=500)
    size_bytes = models.BigIntegerField()
    batch = models.UUIDField(default=uuid.uuid4)
    mode = models.CharField(max_length=10, choices=DeliveryMode, default=DeliveryMode.OVERWRITE)
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.RECEIVED)
    error = models.TextField(blank=True)
    columns = models.JSONField(default=list)
    line_count = models.BigIntegerField(default=0)
    row_count = models.BigIntegerField(default=0)
    quarantined_count = models.BigIntegerField(default=0)
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="deliveries"
    )
    job = models.ForeignKey("fleet.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    received_at = models.DateTimeField(auto_now_add=True)
    imported_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-received_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "sha256"], name="costs_delivery_same_bytes_once"),
            models.CheckConstraint(condition=Q(mode__in=DeliveryMode.values), name="costs_delivery_mode_known"),
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="costs_delivery_state_known"),
        ]

    def __str__(self) -> str:
        return self.file_name


class DeliveryBlock(models.Model):
    """Consecutive lines of a delivered file as they came, compressed: what a row's raw text is read from."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="blocks")
    first_line = models.BigIntegerField()
    line_count = models.IntegerField()
    content = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["delivery", "first_line"], name="costs_deliveryblock_once")
        ]

    def __str__(self) -> str:
        return f"lines {self.first_line} to {self.first_line + self.line_count - 1}"


class DeliveryPart(models.Model):
    """A delivery's rows of one billing period and currency, with totals. Live until another replaces it."""

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="parts")
    period = models.DateField(help_text="First day of the month of BillingPeriodStart.")
    currency = models.CharField(max_length=3)
    row_count = models.BigIntegerField(default=0)
    billed = ExactDecimalField(default=0)
    effective = ExactDecimalField(default=0)
    superseded_by = models.ForeignKey(
        Delivery, null=True, blank=True, on_delete=models.PROTECT, related_name="superseded_parts"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["delivery", "period", "currency"], name="costs_deliverypart_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["period"], name="costs_part_period", condition=Q(superseded_by__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.period:%Y-%m} {self.currency}"


class SnapshotDifference(models.Model):
    """What a new snapshot changed in one period and currency: a multiset difference, in rows and in money."""

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="differences")
    period = models.DateField()
    currency = models.CharField(max_length=3)
    unchanged_rows = models.BigIntegerField()
    added_rows = models.BigIntegerField()
    added_billed = ExactDecimalField()
    removed_rows = models.BigIntegerField()
    removed_billed = ExactDecimalField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["delivery", "period", "currency"], name="costs_snapshotdifference_once")
        ]

    def __str__(self) -> str:
        return f"+{self.added_rows} -{self.removed_rows}"


class QuarantinedRow(models.Model):
    """Lines of a delivery that could not be read as a row, whole, with the reason."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="quarantine")
    line = models.BigIntegerField()
    raw = models.TextField()
    reason = models.TextField()

    class Meta:
        ordering: ClassVar = ["delivery_id", "line"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["delivery", "line"], name="costs_quarantinedrow_once_per_line")
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class Severity(models.TextChoices):
    ERROR = "error", "Error"
    WARNING = "warning", "Warning"
    NOTE = "note", "Note"


class ConformanceFinding(models.Model):
    """One way in which a delivery departs from FOCUS, with how many rows do and the first of them."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="findings")
    check_id = models.CharField(max_length=40)
    column = models.CharField(max_length=100, blank=True)
    severity = models.CharField(max_length=8, choices=Severity)
    row_count = models.BigIntegerField(default=0)
    first_line = models.BigIntegerField(null=True, blank=True)
    sentence = models.TextField()

    class Meta:
        ordering: ClassVar = ["severity", "check_id", "column"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["delivery", "check_id", "column"], name="costs_conformancefinding_once")
        ]

    def __str__(self) -> str:
        return self.sentence


class BilledResource(models.Model):
    """A dimension of bill rows: what was charged for. `segment` is the last part of ResourceId, which names a node."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    digest = models.BinaryField(max_length=16)
    resource_id = models.TextField(blank=True)
    resource_name = models.TextField(blank=True)
    resource_type = models.TextField(blank=True)
    segment = models.TextField(blank=True)
    region_id = models.TextField(blank=True)
    sub_account_id = models.TextField(blank=True)
    sub_account_name = models.TextField(blank=True)
    tags = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "digest"], name="costs_billedresource_once")]

    def __str__(self) -> str:
        return self.resource_name or self.resource_id


class BilledCharge(models.Model):
    """A dimension of bill rows: how it was charged, from provider and service to price and commitment."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    digest = models.BinaryField(max_length=16)
    provider = models.TextField(blank=True)
    publisher = models.TextField(blank=True)
    invoice_issuer = models.TextField(blank=True)
    invoice_id = models.TextField(blank=True)
    billing_account_id = models.TextField(blank=True)
    billing_account_name = models.TextField(blank=True)
    charge_category = models.TextField(blank=True)
    charge_class = models.TextField(blank=True)
    charge_description = models.TextField(blank=True)
    charge_frequency = models.TextField(blank=True)
    pricing_category = models.TextField(blank=True)
    pricing_unit = models.TextField(blank=True)
    consumed_unit = models.TextField(blank=True)
    service_category = models.TextField(blank=True)
    service_name = models.TextField(blank=True)
    sku_id = models.TextField(blank=True)
    sku_price_id = models.TextField(blank=True)
    commitment_id = models.TextField(blank=True)
    commitment_type = models.TextField(blank=True)
    commitment_status = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "digest"], name="costs_billedcharge_once")]

    def __str__(self) -> str:
        return self.charge_description


class BillRow(models.Model):
    """One row of a bill, immutable and exact. `id` = delivery * 2^32 + ordinal, so a delivery is a range of ids.

    Foreign keys are not checked row by row: a million rows would pay a third of their import for it, and one writer
    makes them all in the transaction that makes what they point to.
    """

    id = models.BigIntegerField(primary_key=True)
    part = models.ForeignKey(
        DeliveryPart, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="rows"
    )
    line = models.IntegerField()
    fingerprint = models.BigIntegerField(help_text="XXH3 of the row's bytes, 64 bits.")
    resource = models.ForeignKey(
        BilledResource, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="rows"
    )
    charge = models.ForeignKey(
        BilledCharge, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="rows"
    )
    charge_start_at = models.DateTimeField()
    charge_end_at = models.DateTimeField()
    billed = ExactDecimalField()
    effective = ExactDecimalField(null=True)
    list_cost = ExactDecimalField(null=True)
    contracted = ExactDecimalField(null=True)
    pricing_quantity = ExactDecimalField(null=True)
    consumed_quantity = ExactDecimalField(null=True)

    def __str__(self) -> str:
        return f"line {self.line}"


class IdenticalRows(models.Model):
    """Rows that a delivery holds more than once, byte for byte: all of them count."""

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="identical_rows")
    fingerprint = models.BigIntegerField()
    copies = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["delivery", "fingerprint"], name="costs_identicalrows_once"),
            models.CheckConstraint(condition=Q(copies__gte=2), name="costs_identicalrows_are_several"),
        ]

    def __str__(self) -> str:
        return f"{self.copies} copies"
