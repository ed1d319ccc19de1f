"""Which of many p-values are small: Benjamini-Hochberg, so that more columns do not mean more false alarms."""

from collections.abc import Mapping


def rejected(p_values: Mapping[str, float], q: float) -> frozenset[str]:
    """Names whose hypothesis "nothing changed" falls; at most a share `q` of them wrongly, on average.

    Source: Benjamini and Hochberg (1995): the largest k with p(k) <= k q / m, and everything up to it.
    """
    ordered = sorted(p_values.items(), key=lambda item: item[1])
    passed = [rank for rank, (_, p_value) in enumerate(ordered, start=1) if p_value <= rank * q / len(ordered)]
    return frozenset(name for name, _ in ordered[: max(passed, default=0)])
