"""PromQL that counts something over a window: a counter's selector, or an expression with [$window] in it."""

import re
from dataclasses import dataclass

from monitoring.availability.slo.errors import ExpressionError

PLACEHOLDER = "[$window]"
SHOWN = 60
LONGEST = 5_000  # characters: what follows looks at each of them many times
_STRING = r'"(?:[^"\\]|\\.)*"' + "|" + r"'(?:[^'\\]|\\.)*'|`[^`]*`"
_MATCHERS = rf"\{{(?:{_STRING}|[^{{}}\"'`])*\}}"
_SELECTOR = rf"(?:[a-zA-Z_:][a-zA-Z0-9_:]*\s*(?:{_MATCHERS})?|{_MATCHERS})"
_IS_SELECTOR = re.compile(rf"\s*{_SELECTOR}\s*")
_WINDOW = re.compile(r"\[\s*(?:\$window|\$\{window\}|\{\{-?\s*\.window\s*-?\}\})\s*\]")
_COUNTED = re.compile(rf"(?<![a-z_])([a-z_]+)\s*\(\s*({_SELECTOR})\s*\[\$window\]")
_A_RANGE = re.compile(r"\[\s*\d[^\]]*\]")
PER_SECOND = frozenset({"rate"})
AMOUNTS = frozenset({"increase", "sum_over_time", "count_over_time"})
FORMS = (
    'Write a counter\'s selector such as http_requests_total{code!~"5.."}, or an expression with '
    f"{PLACEHOLDER} as the range, such as sum(increase(http_requests_total{PLACEHOLDER}))."
)


@dataclass(frozen=True, slots=True)
class Expression:
    """`text` as it was written, with [$window] as the placeholder. `selector`: series that tell what was seen."""

    text: str
    selector: str
    is_selector: bool
    is_per_second: bool

    def over(self, seconds: int, at: int) -> str:
        """PromQL for the amount within the `seconds` before `at` (seconds since 1970): one number, or nothing."""
        window = f"[{seconds}s] @ {at}"
        if self.is_selector:
            return f"sum(increase({self.text}{window}))"
        amount = f"sum({self.text.replace(PLACEHOLDER, window)})"
        return f"{amount} * {seconds}" if self.is_per_second else amount


def parse(text: str) -> Expression:
    """Raises ExpressionError for a text that does not count over a window."""
    if len(text) > LONGEST:
        raise ExpressionError(f"It has {len(text)} characters; an expression has {LONGEST} at most.")
    known = _WINDOW.sub(PLACEHOLDER, text).strip()
    if PLACEHOLDER not in known:
        return _selector(known)
    uses = _COUNTED.findall(known)
    if len(uses) != known.count(PLACEHOLDER):
        raise ExpressionError(f"{PLACEHOLDER} stands right behind a selector, inside of rate() or increase(). {FORMS}")
    functions = {name for name, _ in uses}
    odd = sorted(functions - PER_SECOND - AMOUNTS)
    if odd:
        raise ExpressionError(f"{odd[0]}() does not count over a window. Take increase() or rate() over {PLACEHOLDER}.")
    if functions & PER_SECOND and functions & AMOUNTS:
        raise ExpressionError(f"It mixes rate() with {min(functions & AMOUNTS)}(). Take one of them throughout.")
    return Expression(known, uses[0][1].strip(), is_selector=False, is_per_second=bool(functions & PER_SECOND))


def _selector(text: str) -> Expression:
    if _IS_SELECTOR.fullmatch(text):
        return Expression(text, text, is_selector=True, is_per_second=False)
    found = _A_RANGE.search(text)
    if found:
        raise ExpressionError(f"Write {PLACEHOLDER} in place of {found[0]}: each window asks for a range of its own.")
    raise ExpressionError(f"'{text[:SHOWN]}' cannot be counted. {FORMS}")
