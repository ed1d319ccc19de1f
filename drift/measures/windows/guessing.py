"""The kind of a column from its type and its values, by the rules that Evidently 0.7 has."""

from drift.measures.columns import Kind

FEW_WHOLE_NUMBERS = 10  # distinct ones: up to here whole numbers are codes of categories
MOSTLY_DISTINCT = 0.5  # of the values: above, strings are free text
MOSTLY_NUMBERS = 0.9  # of the values: from here strings are numbers with a few that don't fit


def of_whole_numbers(distinct: int) -> Kind:
    return Kind.CATEGORICAL if distinct <= FEW_WHOLE_NUMBERS else Kind.NUMERICAL


def of_strings(distinct: int, present: int) -> Kind:
    return Kind.TEXT if distinct > MOSTLY_DISTINCT * present else Kind.CATEGORICAL


def are_numbers(fitting: int, present: int) -> bool:
    return present > 0 and fitting >= MOSTLY_NUMBERS * present
