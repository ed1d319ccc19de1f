"""Small FOCUS bills for tests, written as the providers write them, with the ledger's steps in one call each."""

import csv
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal

from costs import ingest, reads
from costs.allocate import allocate
from costs.ingest import Imported
from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import OwnershipRule, Source, SourceKind, Team
from fleetledger.lib.buckets import Month

OCTOBER = Month(2026, 10)
COLUMNS = (
    "BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "BillingCurrency", "BillingAccountId",
    "BillingAccountName", "BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "PricingQuantity", "PricingUnit",
    "ConsumedQuantity", "ConsumedUnit", "InvoiceIssuerName", "ProviderName", "PublisherName", "RegionId",
    "ResourceId", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName", "SubAccountId", "Tags",
)  # fmt: skip
USUAL = {
    "BillingCurrency": "USD",
    "BillingAccountId": "1",
    "BillingAccountName": "Main",
    "BillingPeriodStart": "2026-10-01T00:00:00Z",
    "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "ChargePeriodStart": "2026-10-05T10:00:00Z",
    "ChargePeriodEnd": "2026-10-05T11:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeDescription": "Instance hour",
    "ChargeFrequency": "Usage-Based",
    "PricingQuantity": "1",
    "PricingUnit": "Hours",
    "InvoiceIssuerName": "Cloud",
    "ProviderName": "Cloud",
    "PublisherName": "Cloud",
    "ServiceCategory": "Compute",
    "ServiceName": "Machines",
}


def row(amount: str, **values: str) -> dict[str, str]:
    """A usage row of an hour; `amount` stands in every cost column that `values` does not name."""
    costs = dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), amount)
    return {**USUAL, **costs, **values}


def text(*rows: Mapping[str, str], columns: Sequence[str] = COLUMNS) -> bytes:
    """The rows as a FOCUS CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def source(name: str = "cloud", **config: str) -> Source:
    return Source.objects.get_or_create(
        name=name, defaults={"kind": SourceKind.BILL, "config": {"format": "focus", **config}}
    )[0]


def deliver(content: bytes, *, name: str = "bill.csv", to: str = "cloud", mode: str = "overwrite") -> Imported:
    """Receive and import one file."""
    received = ingest.receive(to, name, io.BytesIO(content), mode=mode)
    return ingest.import_delivery(received.delivery_id)


def bill(*rows: Mapping[str, str], to: str = "cloud", mode: str = "overwrite") -> Imported:
    return deliver(text(*rows), to=to, mode=mode)


def tag_rule(team: Team, position: int = 0, /, **tags: str) -> OwnershipRule:
    return OwnershipRule.objects.create(team=team, position=position, match={"tags": tags})


def statements(month: Month = OCTOBER) -> dict[str, str]:
    """What each account bears, by its key, as the statements print it."""
    return {found.account: str(found.amount) for found in reads.statements(month, teams=TeamScope.everything())}


def allocated(month: Month = OCTOBER) -> dict[str, str]:
    """Allocate, then the statements."""
    allocate(month)
    return statements(month)


def stated(month: Month = OCTOBER) -> Decimal:
    """The sum of all statements."""
    return sum((found.amount for found in reads.statements(month, teams=TeamScope.everything())), Decimal(0))
