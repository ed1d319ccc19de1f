"""The bills of the simulated fleet as FOCUS 1.0 CSV: what its two providers charge for a month so far."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from fleetledger.demo.dice import Dice, key
from fleetledger.demo.inventory import A100, H100, TEAMS, Board, Cluster, Node, clusters
from fleetledger.demo.weather import SEED
from fleetledger.lib.buckets import Month

Row = dict[str, str]

COLUMNS = (
    "AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd",
    "ChargePeriodStart", "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName",
    "CommitmentDiscountStatus", "CommitmentDiscountType", "ConsumedQuantity", "ConsumedUnit", "ContractedCost",
    "ContractedUnitPrice", "EffectiveCost", "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory",
    "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId",
    "ResourceName", "ResourceType", "ServiceCategory", "ServiceName", "SkuId", "SkuPriceId", "SubAccountId",
    "SubAccountName", "Tags",
)  # fmt: skip
PROVIDERS = ("aws", "borealis")
DAY_HOURS = 24
ON_DEMAND = {"H100": ("p5.48xlarge", Decimal("55.04")), "L40S": ("g6e.12xlarge", Decimal("10.49264"))}
NEGOTIATED = Decimal("0.94")
RESERVED_LIST, RESERVED_RATE = Decimal("27.44705"), Decimal("15.90342")
COMMITMENT_PER_HOUR = Decimal("132.00")
COMMITMENT = "arn:aws:savingsplans::410044204430:savingsplan/5b0c1f6e-71d2-4f0a-9a57-6f2a1d3c8e90"
BARE_METAL = {"H100": Decimal("15.84"), "L40S": Decimal("4.96")}
SUPPORT_SHARE = Decimal("0.03")
TAX_SHARE = Decimal("0.0125")
_ZERO = Decimal(0)


def bill(provider: str, month: Month, start: date, until: date) -> str | None:
    """The CSV of the month's days within [start, until), or None where there are none."""
    first, last = max(month.start.date(), start), min(month.next.start.date(), until)
    days = [first + timedelta(days=n) for n in range((last - first).days)]
    if not days:
        return None
    rows = list(_AMAZON.rows(month, days) if provider == "aws" else _BOREALIS.rows(month, days))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def effective_total(text: str) -> Decimal:
    """The sum of a bill's effective costs."""
    return sum((Decimal(row["EffectiveCost"]) for row in csv.DictReader(io.StringIO(text))), _ZERO)


def machines(text: str) -> set[str]:
    """The machines on a bill, by the last segment of their ResourceId."""
    rows = csv.DictReader(io.StringIO(text))
    return {row["ResourceId"].rsplit("/", 1)[-1] for row in rows if row["ResourceType"] in ("Instance", "Server")}


def family(board: Board) -> str:
    return "H100" if board is H100 else "A100" if board is A100 else "L40S"


class _Account:
    """A provider's way to write rows."""

    def __init__(self, provider: str, issuer: str, account: str, account_name: str) -> None:
        self._same = {
            "BillingAccountId": account,
            "BillingAccountName": account_name,
            "BillingCurrency": "USD",
            "InvoiceIssuerName": issuer,
            "ProviderName": provider,
            "PublisherName": issuer,
            "SubAccountId": account,
            "SubAccountName": account_name,
        }

    def row(self, month: Month, first: date, days: int, cost: Mapping[str, Decimal], **texts: str) -> Row:
        """`cost` holds BilledCost; the other costs are the same unless it names them."""
        billed = cost["BilledCost"]
        amounts = dict.fromkeys(("EffectiveCost", "ListCost", "ContractedCost"), billed) | dict(cost)
        return (
            self._same
            | {
                "BillingPeriodStart": _stamp(month.start.date()),
                "BillingPeriodEnd": _stamp(month.next.start.date()),
                "ChargePeriodStart": _stamp(first),
                "ChargePeriodEnd": _stamp(first + timedelta(days=days)),
                "ChargeCategory": "Usage",
                "ChargeFrequency": "Usage-Based",
            }
            | {name: _exact(amount) for name, amount in amounts.items()}
            | texts
        )


class _Amazon:
    """On-demand machines, reserved ones under a commitment, storage by team, and what every bill carries besides."""

    def __init__(self) -> None:
        self._account = _Account("AWS", "Amazon Web Services, Inc.", "410044204430", "Aurora Models")
        self._on_demand, self._reserved = _cluster("aws-use1"), _cluster("aws-usw2")

    def rows(self, month: Month, days: list[date]) -> Iterator[Row]:
        usage = [row for day in days for row in self._usage(month, day)]
        purchase = self._purchase(month, days)
        yield from usage
        yield purchase
        yield from self._on_top(month, days, [*usage, purchase])

    def _usage(self, month: Month, day: date) -> Iterator[Row]:
        for node in self._on_demand.nodes:
            yield self._machine(month, day, node)
        for node in self._reserved.nodes:
            yield self._committed(month, day, node)
        yield self._unused(month, day)
        yield from self._storage(month, day)
        yield self._transfer(month, day)

    def _machine(self, month: Month, day: date, node: Node) -> Row:
        name, price = ON_DEMAND[family(node.board)]
        listed = price * DAY_HOURS
        cost = {"BilledCost": listed * NEGOTIATED, "ListCost": listed}
        return self._account.row(
            month, day, 1, cost, **_instance(node, self._on_demand, name),
            ListUnitPrice=_exact(price), ContractedUnitPrice=_exact(price * NEGOTIATED), PricingCategory="Standard",
            ChargeDescription=f"${price} per On Demand Linux {name} Instance Hour",
        )  # fmt: skip

    def _committed(self, month: Month, day: date, node: Node) -> Row:
        """Billed with the commitment, so nothing here; its effective cost is the commitment's rate."""
        used = RESERVED_RATE * DAY_HOURS
        cost = {"BilledCost": _ZERO, "EffectiveCost": used, "ListCost": RESERVED_LIST * DAY_HOURS,
                "ContractedCost": RESERVED_LIST * DAY_HOURS}  # fmt: skip
        return self._account.row(
            month, day, 1, cost, **_instance(node, self._reserved, "p4de.24xlarge"), **_commitment("Used"),
            ListUnitPrice=_exact(RESERVED_LIST), ContractedUnitPrice=_exact(RESERVED_LIST),
            ChargeDescription="p4de.24xlarge Instance Hour covered by Compute Savings Plans",
        )  # fmt: skip

    def _unused(self, month: Month, day: date) -> Row:
        left = (COMMITMENT_PER_HOUR - RESERVED_RATE * len(self._reserved.nodes)) * DAY_HOURS
        cost = {"BilledCost": _ZERO, "EffectiveCost": left, "ListCost": _ZERO, "ContractedCost": _ZERO}
        return self._account.row(
            month, day, 1, cost, **_commitment("Unused"), ResourceId=COMMITMENT, ServiceName="Compute Savings Plans",
            ServiceCategory="Compute", RegionId=self._reserved.region, PricingUnit="Hours", PricingQuantity="24",
            ChargeDescription="Commitment of the hour that nothing used",
        )  # fmt: skip

    def _purchase(self, month: Month, days: list[date]) -> Row:
        fee = COMMITMENT_PER_HOUR * DAY_HOURS * len(days)
        cost = {"BilledCost": fee, "EffectiveCost": _ZERO}
        return self._account.row(
            month, days[0], len(days), cost, **_commitment(""), ChargeCategory="Purchase", ChargeFrequency="Recurring",
            ResourceId=COMMITMENT, ServiceName="Compute Savings Plans", ServiceCategory="Compute",
            PricingUnit="Hours", PricingQuantity=str(DAY_HOURS * len(days)),
            ChargeDescription="Three years, no upfront: $132.00 an hour",
        )  # fmt: skip

    def _storage(self, month: Month, day: date) -> Iterator[Row]:
        """Buckets carry their team as a tag; one belongs to a team that is gone, volumes carry none."""
        buckets = [*TEAMS, "legacy-nlp"]
        for slug in buckets:
            size = Decimal(9_000 + key(slug) % 52_000) + (day - date(2025, 1, 1)).days * (key(slug) % 37)
            yield self._stored(
                month, day, (size, Decimal("0.023")), ResourceId=f"arn:aws:s3:::aurora-{slug}-data",
                ServiceName="Amazon Simple Storage Service", Tags=_tags(team=slug, env="prod"),
            )  # fmt: skip
        for cluster in (self._on_demand, self._reserved):
            volume = (Decimal(600 * len(cluster.nodes)), Decimal("0.08"))
            name = f"vol-set-{cluster.name}"
            yield self._stored(month, day, volume, ResourceId=name, ServiceName="Amazon Elastic Block Store")

    def _stored(self, month: Month, day: date, volume: tuple[Decimal, Decimal], **texts: str) -> Row:
        """`volume`: gigabytes, with the price of a GB-month."""
        size, price = volume
        quantity = size / 32  # GB-months of a day, written with all its digits
        return self._account.row(
            month, day, 1, {"BilledCost": quantity * price}, **texts,
            ServiceCategory="Storage", PricingUnit="GB-Months", PricingQuantity=_exact(quantity),
            ConsumedUnit="GB-Months", ConsumedQuantity=_exact(quantity), ListUnitPrice=_exact(price),
            PricingCategory="Standard", ChargeDescription=f"${price} per GB-Month of storage",
        )  # fmt: skip

    def _transfer(self, month: Month, day: date) -> Row:
        quantity = Decimal(Dice(SEED, 9, day.toordinal()).between(180_000, 420_000)) / 1000
        return self._account.row(
            month, day, 1, {"BilledCost": quantity * Decimal("0.09")}, ServiceName="AWS Data Transfer",
            ServiceCategory="Networking", PricingUnit="GB", PricingQuantity=_exact(quantity),
            PricingCategory="Standard", RegionId=self._on_demand.region,
            ChargeDescription="$0.090 per GB - data transfer out to the internet",
        )  # fmt: skip

    def _on_top(self, month: Month, days: list[date], rows: list[Row]) -> Iterator[Row]:
        """Support, tax and credits, over the days so far."""
        billed = sum((Decimal(row["BilledCost"]) for row in rows), _ZERO)
        support = (billed * SUPPORT_SHARE).quantize(Decimal("0.01"))
        span = (month, days[0], len(days))
        yield self._account.row(
            *span, {"BilledCost": support}, ServiceName="AWS Support (Enterprise)", ServiceCategory="Other",
            ChargeFrequency="Recurring", ChargeDescription="3% of monthly usage", PricingQuantity="1",
            PricingUnit="Dollar",
        )  # fmt: skip
        yield self._account.row(
            *span, {"BilledCost": (support * TAX_SHARE).quantize(Decimal("0.01"))}, ChargeCategory="Tax",
            ServiceName="AWS Support (Enterprise)", ServiceCategory="Other", ChargeDescription="Sales tax",
            ChargeFrequency="One-Time",
        )  # fmt: skip
        for amount, tags, text in (
            ("-1500.00", "", "Migration programme"),
            ("-400.00", _tags(team="vision"), "Research credit"),
        ):
            yield self._account.row(
                *span, {"BilledCost": Decimal(amount)}, ChargeCategory="Credit", ServiceName="AWS Credits",
                ServiceCategory="Other", ChargeFrequency="One-Time", Tags=tags, ChargeDescription=text,
            )  # fmt: skip


class _Borealis:
    """Bare metal by the day, the hall's network by the month, and support."""

    def __init__(self) -> None:
        self._account = _Account("Borealis Metal", "Borealis Metal AS", "BM-20771", "Aurora Models")
        self._hall = _cluster("borealis-osl")

    def rows(self, month: Month, days: list[date]) -> Iterator[Row]:
        for day in days:
            for node in self._hall.nodes:
                yield self._server(month, day, node)
        span = (month, days[0], len(days))
        yield self._account.row(
            *span, {"BilledCost": Decimal("38.50") * len(days)}, ServiceName="Private Network", RegionId="oslo",
            ServiceCategory="Networking", ChargeFrequency="Recurring", PricingUnit="Days",
            PricingQuantity=str(len(days)), ChargeDescription="Uplink 100G, per day",
        )  # fmt: skip
        yield self._account.row(
            *span, {"BilledCost": Decimal("410.00")}, ServiceName="Remote Hands", ServiceCategory="Other",
            RegionId="oslo", Tags=_tags(team="robotics"), ChargeFrequency="One-Time", PricingUnit="Visits",
            PricingQuantity="1", ChargeDescription="Robot cell cabling",
        )  # fmt: skip

    def _server(self, month: Month, day: date, node: Node) -> Row:
        price = BARE_METAL[family(node.board)]
        sku = f"gpu.{family(node.board)}.8"
        return self._account.row(
            month, day, 1, {"BilledCost": price * DAY_HOURS}, **_instance(node, self._hall, sku),
            ListUnitPrice=_exact(price), ContractedUnitPrice=_exact(price), PricingCategory="Standard",
            ChargeDescription=f"Server {node.resource_id}, ${price} per hour",
        )  # fmt: skip


def _instance(node: Node, cluster: Cluster, sku: str) -> Row:
    amazon = cluster.provider == "aws"
    arn = f"arn:aws:ec2:{cluster.region}:410044204430:instance/"
    return {
        "ResourceId": (arn if amazon else "") + node.resource_id,
        "ResourceName": node.name,
        "ResourceType": "Instance" if amazon else "Server",
        "RegionId": cluster.region,
        "RegionName": cluster.region,
        "AvailabilityZone": node.zone,
        "ServiceCategory": "Compute",
        "ServiceName": "Amazon Elastic Compute Cloud" if amazon else "GPU Servers",
        "SkuId": sku,
        "SkuPriceId": f"{sku}.{cluster.region}",
        "PricingUnit": "Hours",
        "PricingQuantity": str(DAY_HOURS),
        "ConsumedUnit": "Hours",
        "ConsumedQuantity": str(DAY_HOURS),
        "Tags": _tags(cluster=cluster.name),
    }


def _commitment(status: str) -> Row:
    return {
        "CommitmentDiscountId": COMMITMENT,
        "CommitmentDiscountName": "Compute, three years",
        "CommitmentDiscountCategory": "Spend",
        "CommitmentDiscountType": "Compute Savings Plan",
        "CommitmentDiscountStatus": status,
        "PricingCategory": "Committed" if status else "Standard",
    }


def _cluster(name: str) -> Cluster:
    return next(cluster for cluster in clusters() if cluster.name == name)


def _tags(**tags: str) -> str:
    return json.dumps(tags)


def _stamp(day: date) -> str:
    return datetime.combine(day, time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _exact(amount: Decimal) -> str:
    return f"{amount:f}"


_AMAZON, _BOREALIS = _Amazon(), _Borealis()
