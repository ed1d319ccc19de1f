"""FOCUS columns as the ledger takes them: what must be there, which dimension each belongs to, and what it may say."""

from collections.abc import Mapping

REQUIRED = ("BilledCost", "BillingPeriodStart", "ChargePeriodStart", "ChargePeriodEnd")
MONEY = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
QUANTITIES = ("PricingQuantity", "ConsumedQuantity")

RESOURCE: Mapping[str, str] = {
    "ResourceId": "resource_id",
    "ResourceName": "resource_name",
    "ResourceType": "resource_type",
    "RegionId": "region_id",
    "SubAccountId": "sub_account_id",
    "SubAccountName": "sub_account_name",
    "Tags": "tags",
}
CHARGE: Mapping[str, str] = {
    "ProviderName": "provider",
    "PublisherName": "publisher",
    "InvoiceIssuerName": "invoice_issuer",
    "InvoiceId": "invoice_id",
    "BillingAccountId": "billing_account_id",
    "BillingAccountName": "billing_account_name",
    "ChargeCategory": "charge_category",
    "ChargeClass": "charge_class",
    "ChargeDescription": "charge_description",
    "ChargeFrequency": "charge_frequency",
    "PricingCategory": "pricing_category",
    "PricingUnit": "pricing_unit",
    "ConsumedUnit": "consumed_unit",
    "ServiceCategory": "service_category",
    "ServiceName": "service_name",
    "SkuId": "sku_id",
    "SkuPriceId": "sku_price_id",
    "CommitmentDiscountId": "commitment_id",
    "CommitmentDiscountType": "commitment_type",
    "CommitmentDiscountStatus": "commitment_status",
}
# FOCUS 1.3 and later name the same things anew; the older name wins where a file has both.
LATER_NAMES: Mapping[str, str] = {"ServiceProviderName": "ProviderName", "HostProviderName": "PublisherName"}

# Columns that FOCUS 1.0 makes mandatory for every export.
MANDATORY = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost",
    "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit", "ProviderName",
    "PublisherName", "ServiceCategory", "ServiceName",
)  # fmt: skip
_OPTIONAL = (
    "AllocatedMethodDetails AllocatedMethodId AllocatedResourceId AllocatedResourceName AllocatedTags AvailabilityZone "
    "BillingAccountType CapacityReservationId CapacityReservationStatus ChargeFrequency CommitmentDiscountCategory "
    "CommitmentDiscountId CommitmentDiscountName CommitmentDiscountQuantity CommitmentDiscountStatus "
    "CommitmentDiscountType CommitmentDiscountUnit ConsumedQuantity ConsumedUnit ContractApplied ContractedUnitPrice "
    "HostProviderName InvoiceDetailId InvoiceId ListUnitPrice PricingCategory PricingCurrency "
    "PricingCurrencyContractedUnitPrice PricingCurrencyEffectiveCost PricingCurrencyListUnitPrice RegionId RegionName "
    "ResourceId ResourceName ResourceType ServiceProviderName ServiceSubcategory SkuId SkuMeter SkuPriceDetails "
    "SkuPriceId SubAccountId SubAccountName SubAccountType Tags"
)
KNOWN = frozenset(MANDATORY) | frozenset(_OPTIONAL.split())
ALLOWED: Mapping[str, frozenset[str]] = {
    "ChargeCategory": frozenset({"Usage", "Purchase", "Tax", "Credit", "Adjustment"}),
    "ChargeClass": frozenset({"", "Correction"}),
    "ChargeFrequency": frozenset({"", "One-Time", "Recurring", "Usage-Based"}),
    "PricingCategory": frozenset({"", "Standard", "Dynamic", "Committed", "Other"}),
    "CommitmentDiscountStatus": frozenset({"", "Used", "Unused"}),
    "ServiceCategory": frozenset(
        {
            "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools",
            "Multicloud", "Identity", "Integration", "Internet of Things", "Management and Governance", "Media",
            "Migration", "Mobile", "Networking", "Security", "Storage", "Web", "Other",
        }
    ),
}  # fmt: skip
NEVER_EMPTY = (
    "BillingAccountId", "ChargeCategory", "InvoiceIssuerName", "ProviderName", "PublisherName", "ServiceCategory",
    "ServiceName",
)  # fmt: skip
