"""The methods that tools name, by key or display name: which way they drift, and from which value on."""

import operator
from collections.abc import Callable
from dataclasses import dataclass

SMALL, LARGE, OUTSIDE, UNKNOWN = "small", "large", "outside", "unknown"
Compare = Callable[[float, float], bool]


@dataclass(frozen=True, slots=True)
class Method:
    """`drifts(value, threshold)` is how the tool itself decides; None where a threshold does not say it."""

    key: str
    direction: str
    default_threshold: float | None = None
    drifts: Compare | None = None


UNKNOWN_METHOD = Method(UNKNOWN, UNKNOWN)


def _small(key: str, threshold: float, drifts: Compare = operator.lt) -> Method:
    return Method(key, SMALL, threshold, drifts)


def _large(key: str, threshold: float, drifts: Compare = operator.ge) -> Method:
    return Method(key, LARGE, threshold, drifts)


# Evidently's, with its defaults and comparisons (src/evidently/legacy/calculations/stattests). Its
# perc_text_content_drift compares with a percentile that the report does not hold, hence no comparison.
_EVIDENTLY: dict[str, Method] = {
    "k-s p_value": _small("ks", 0.05, operator.le),
    "k-s (p_value)": _small("ks", 0.05, operator.le),
    "z-test p_value": _small("z", 0.05),
    "chi-square p_value": _small("chisquare", 0.05),
    "jensen-shannon distance": _large("jensenshannon", 0.1),
    "kullback-leibler divergence": _large("kl_div", 0.1),
    "psi": _large("psi", 0.1),
    "wasserstein distance (normed)": _large("wasserstein", 0.1),
    "hellinger distance": _large("hellinger", 0.1),
    "anderson-darling": _small("anderson", 0.1),
    "cramer-von-mises": _small("cramer_von_mises", 0.1, operator.le),
    "epps-singleton": _small("es", 0.05),
    "fisher's exact test": _small("fisher_exact", 0.1),
    "g_test": _small("g_test", 0.1),
    "mann-whitney u-rank test": _small("mannw", 0.05),
    "empirical_mmd": _small("empirical_mmd", 0.1),
    "t_test": _small("t_test", 0.05),
    "total-variation-distance": _small("tvd", 0.1),
    "energy-distance": _large("ed", 0.1, operator.gt),
    "absolute text content drift": _large("abs_text_content_drift", 0.55, operator.gt),
    "percentile text content drift": Method("perc_text_content_drift", LARGE, 0.95),
}
_EVIDENTLY_KEYS = {method.key: method for method in _EVIDENTLY.values()}

# NannyML reports statistics where Evidently reports p-values: equal names would not be equal numbers.
_NANNYML: dict[str, Method] = {
    "jensen_shannon": Method("jensenshannon", LARGE),
    "kolmogorov_smirnov": Method("ks_statistic", LARGE),
    "wasserstein": Method("wasserstein_raw", LARGE),
    "hellinger": Method("hellinger", LARGE),
    "chi2": Method("chi2_statistic", LARGE),
    "l_infinity": Method("l_infinity", LARGE),
    "reconstruction_error": Method("reconstruction_error", OUTSIDE),
    "domain_classifier_auroc": Method("domain_classifier_auroc", LARGE),
}
_WHYLOGS: dict[str, Method] = {
    "ks": Method("ks", SMALL),
    "chi-square": Method("chisquare", SMALL),
    "hellinger": Method("hellinger", LARGE),
}
_TFDV: dict[str, Method] = {
    "l_infty": Method("l_infinity", LARGE, None, operator.gt),
    "jensen_shannon_divergence": Method("jensenshannon_divergence", LARGE, None, operator.gt),
    "normalized_abs_difference": Method("normalized_abs_difference", LARGE, None, operator.gt),
}
_TABLES = {"evidently": _EVIDENTLY | _EVIDENTLY_KEYS, "nannyml": _NANNYML, "whylogs": _WHYLOGS, "tfdv": _TFDV}
NANNYML_METHODS = tuple(sorted(_NANNYML, key=len, reverse=True))


def method_of(tool: str, written: str) -> Method:
    """The method that `tool` calls so, in any case of letters; UNKNOWN_METHOD where nobody knows it."""
    return _TABLES[tool].get(" ".join(written.casefold().split()), UNKNOWN_METHOD)


def decided(method: Method, value: float | None, threshold: float | None) -> bool | None:
    """Whether the value drifts by the method's own comparison; None where that cannot be said."""
    if method.drifts is None or value is None or threshold is None:
        return None
    return method.drifts(value, threshold)
