"""A seeded FOCUS bill of any size for benchmarks: 43 columns, as many resources and prices as a large account has."""

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.costs import bills

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
START = datetime(2026, 10, 1, tzinfo=UTC)
PRICES, ROWS_PER_RESOURCE, HOURS = 400, 60, 743
FORM = "%Y-%m-%dT%H:%M:%SZ"


def write(file: Path, row_count: int, *, seed: int = 1) -> None:
    """`row_count` rows of October 2026 in hours; each resource has a tag `team` of one of 50."""
    chance = random.Random(seed)
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS, restval="", extrasaction="ignore")
        writer.writeheader()
        for _ in range(row_count):
            writer.writerow(_row(chance, row_count // ROWS_PER_RESOURCE + 1))


def _row(chance: random.Random, resources: int) -> dict[str, str]:
    resource, price = chance.randrange(resources), chance.randrange(PRICES)
    start = START + timedelta(hours=chance.randrange(HOURS))
    return bills.row(
        f"{chance.random() * 4:.10f}",
        ChargePeriodStart=start.strftime(FORM),
        ChargePeriodEnd=(start + timedelta(hours=1)).strftime(FORM),
        ChargeDescription=f"${price / 1000:.4f} per hour of product {price} in US West (Oregon)",
        PricingQuantity=f"{chance.random():.9f}",
        ConsumedQuantity=f"{chance.random():.9f}",
        ConsumedUnit="Hours",
        PricingCategory="Standard",
        AvailabilityZone="us-west-2a",
        RegionId="us-west-2",
        RegionName="US West (Oregon)",
        ResourceId=f"arn:aws:ec2:us-west-2:3474104796{resource % 90:02d}:volume/vol-{resource:017x}",
        ResourceName=f"disk-{resource}",
        ResourceType="volume",
        ServiceName=f"Service {price % 40}",
        SkuId=f"SKU{price:013d}",
        SkuPriceId=f"SKU{price:013d}.JRTCKXETXF.YXGXCWQKTY",
        SubAccountId=f"{resource % 300:012d}",
        SubAccountName=f"Account {resource % 300}",
        Tags=f'{{"application": "App{resource % 300}", "environment": "prod", "team": "team-{resource % 50}"}}',
    )
