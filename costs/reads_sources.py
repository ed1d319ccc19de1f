"""Which bill sources there are."""

from fleetledger.fleet.models import Source, SourceKind


def bill_sources() -> tuple[str, ...]:
    """Names of the enabled sources of kind bill, in order."""
    found = Source.objects.filter(kind=SourceKind.BILL, enabled=True).order_by("name")
    return tuple(found.values_list("name", flat=True))
