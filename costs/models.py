"""The ledger's tables: deliveries with their immutable rows, allocation runs with their lines, postings and statements.

The chain: Delivery -> BillRow -> AllocationRun -> AllocationLine -> Posting -> Statement. Bill rows are written by
COPY (`ingest`), lines and postings by `allocate`, CostDay by `rollup`; the database itself refuses to change a row and
refuses a run whose lines do not sum to its rows (see the migrations).
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from costs.fields import ExactDecimalField
from costs.models_bills import (
    BilledCharge,
    BilledResource,
    BillRow,
    ConformanceFinding,
    Delivery,
    DeliveryBlock,
    DeliveryMode,
    DeliveryPart,
    DeliveryState,
    IdenticalRows,
    QuarantinedRow,
    Severity,
    SnapshotDifference,
)
from fleetledger.fleet.models import Source, Team, Workload

__all__ = [
    "Account",
    "AccountKind",
    "AllocationLine",
    "AllocationRun",
    "Basis",
    "BillRow",
    "BilledCharge",
    "BilledResource",
    "ConformanceFinding",
    "CostDay",
    "Delivery",
    "DeliveryBlock",
    "DeliveryMode",
    "DeliveryPart",
    "DeliveryState",
    "IdenticalRows",
    "LedgerVersion",
    "Posting",
    "PostingKind",
    "QuarantinedRow",
    "Reason",
    "RunState",
    "Severity",
    "SnapshotDifference",
    "Statement",
    "StatementState",
]


class AccountKind(models.TextChoices):
    TEAM = "team", "Team"
    IDLE = "idle", "Idle"
    UNALLOCATED = "unallocated", "Unallocated"
    SHARED = "shared", "Shared"
    UNUSED_COMMITMENT = "unused_commitment", "Unused commitment"
    PREPAID = "prepaid", "Prepaid"
    TAX = "tax", "Tax"
    CREDIT = "credit", "Credit"
    ROUNDING = "rounding", "Rounding"
    VARIANCE = "variance", "Variance"


class Reason(models.TextChoices):
    """Why money is unallocated; each is an account of its own, so that somebody can mend it."""

    NO_NODE = "no-node", "no node has this provider id"
    NO_TELEMETRY = "no-telemetry", "no telemetry"
    NO_OWNER = "no-owner", "no rule owns the workload"
    TAG_MISSING = "tag-missing", "tag missing"
    TAG_UNKNOWN = "tag-unknown", "tag value unknown"
    TAG_NULL = "tag-null", "tag is null"
    TAG_SPACED = "tag-spaced", "tag key has spaces around it"
    TAGS_UNREADABLE = "tags-unreadable", "tags are no JSON object"


class Account(models.Model):
    """Where money can lie: a team, idle, or unallocated for one reason. Keys of all but teams stand in parentheses."""

    kind = models.CharField(max_length=20, choices=AccountKind)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="accounts")
    reason = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "team", "reason"], nulls_distinct=False, name="costs_account_once_each"
            ),
            models.CheckConstraint(condition=Q(kind__in=AccountKind.values), name="costs_account_kind_known"),
            models.CheckConstraint(
                condition=Q(kind="team", team__isnull=False) | (~Q(kind="team") & Q(team__isnull=True)),
                name="costs_account_team_named",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        """The team's slug, or the account in parentheses: `(idle)`, `(unallocated:no-node)`; no slug looks so."""
        if self.team is not None:
            return self.team.slug
        return f"({self.kind}:{self.reason})" if self.reason else f"({self.kind})"

    @property
    def label(self) -> str:
        if self.team is not None:
            return self.team.name
        name = AccountKind(self.kind).label
        return f"{name}: {Reason(self.reason).label}" if self.reason else name


class RunState(models.TextChoices):
    RUNNING = "running", "Running"
    DRAFT = "draft", "Draft"
    FINAL = "final", "Final"


class Basis(models.TextChoices):
    EFFECTIVE = "effective", "Effective cost"
    BILLED = "billed", "Billed cost"


class AllocationRun(models.Model):
    """One allocation of one rounding set: a source's rows of a billing period and currency; inputs and result named.

    States: 1. running (inside its transaction only), 2. draft (replaced by the next run), 3. final (its period closed).
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="allocation_runs")
    period = models.DateField()
    currency = models.CharField(max_length=3)
    basis = models.CharField(max_length=10, choices=Basis)
    state = models.CharField(max_length=10, choices=RunState, default=RunState.RUNNING)
    engine_version = models.IntegerField()
    part_ids = ArrayField(models.BigIntegerField(), default=list, help_text="The parts of deliveries that were live.")
    inputs = models.JSONField(default=dict)
    inputs_hash = models.CharField(max_length=64)
    result_hash = models.CharField(max_length=64, blank=True)
    row_count = models.BigIntegerField(default=0)
    line_count = models.BigIntegerField(default=0)
    exact = ExactDecimalField(default=0)
    amount_minor = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["period", "source__name", "currency"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "period", "currency"], name="costs_allocationrun_once_per_set"),
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="costs_allocationrun_state_known"),
            models.CheckConstraint(condition=Q(basis__in=Basis.values), name="costs_allocationrun_basis_known"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.period:%Y-%m} {self.currency}"


class AllocationLine(models.Model):
    """What one account bears of one bill row: amount = the row's amount x numerator / denominator, exact in sum.

    Like bill rows they come by the million from one writer, hence no foreign keys checked one by one.
    """

    run = models.ForeignKey(
        AllocationRun, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="lines"
    )
    row = models.ForeignKey(BillRow, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    day = models.DateField(help_text="The UTC day of use; a row of several days has lines of each.")
    gpu_model = models.CharField(max_length=200, blank=True)
    workload = models.ForeignKey(
        Workload,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    numerator = ExactDecimalField(help_text="GPU-microseconds where the row is a node's, else 1.")
    denominator = ExactDecimalField()
    idle_numerator = ExactDecimalField(help_text="The part of the numerator that was held, measured and not busy.")
    amount = ExactDecimalField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(denominator__gt=0), name="costs_allocationline_divides")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["run", "account", "row"], name="costs_line_of_account"
            ),  # a statement's lines, by page
            models.Index(fields=["row"], name="costs_line_of_row"),  # a bill row's lines
        ]

    def __str__(self) -> str:
        return f"{self.amount}"


class StatementState(models.TextChoices):
    DRAFT = "draft", "Draft"
    FINAL = "final", "Final"


class Statement(models.Model):
    """What one account bears in a period and currency. A draft has no number; closing numbers and hashes it."""

    period = models.DateField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="statements")
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=StatementState, default=StatementState.DRAFT)
    number = models.CharField(max_length=40, blank=True)
    content_hash = models.CharField(max_length=64, blank=True)
    exact = ExactDecimalField()
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["period", "account", "currency"], name="costs_statement_once_per_period"),
            models.UniqueConstraint(fields=["number"], condition=~Q(number=""), name="costs_statement_number_once"),
            models.CheckConstraint(
                condition=Q(state="draft", number="") | (Q(state="final") & ~Q(number="")),
                name="costs_statement_number_when_final",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.period:%Y-%m} {self.currency}"


class PostingKind(models.TextChoices):
    CHARGE = "charge", "Charge"
    ADJUSTMENT = "adjustment", "Adjustment"


class Posting(models.Model):
    """An account's sum of a run, rounded once with its rounding set, in minor units of the currency."""

    run = models.ForeignKey(AllocationRun, on_delete=models.CASCADE, related_name="postings")
    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="postings")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="postings")
    kind = models.CharField(max_length=12, choices=PostingKind, default=PostingKind.CHARGE)
    exact = ExactDecimalField()
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run", "account"], condition=Q(kind="charge"), name="costs_posting_once_per_account"
            ),
            models.CheckConstraint(condition=Q(kind__in=PostingKind.values), name="costs_posting_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor}"


class CostDay(models.Model):
    """What an account bears on a day by GPU model and workload; `idle` is the part of it that was held and not busy."""

    run = models.ForeignKey(AllocationRun, on_delete=models.CASCADE, related_name="cost_days")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, db_index=False, related_name="+")
    day = models.DateField()
    gpu_model = models.CharField(max_length=200, blank=True)
    workload = models.ForeignKey(
        Workload, null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    cost = ExactDecimalField()
    idle = ExactDecimalField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run", "account", "day", "gpu_model", "workload"],
                nulls_distinct=False,
                name="costs_costday_once",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["account", "day"], name="costs_costday_of_account")]  # a team's page

    def __str__(self) -> str:
        return f"{self.day} {self.cost}"


class LedgerVersion(models.Model):
    """Counts the ledger's changes: what answers are cached by."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="costs_ledgerversion_one_row")]

    def __str__(self) -> str:
        return str(self.version)

    @classmethod
    def bump(cls) -> None:
        if not cls.objects.filter(pk=1).update(version=F("version") + 1):
            cls.objects.get_or_create(pk=1, defaults={"version": 1})
