"""Prometheus' templates of labels and annotations, as far as we render them: labels, the value and its formats."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from monitoring.alerts.rules.errors import TemplateError

Labels = Mapping[str, str]
Piece = Callable[[Labels, float], str]

_ACTION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_LABEL = re.compile(r"(?:\$labels|\.Labels)\.([a-zA-Z_][a-zA-Z0-9_]*)")
_VALUE = r"(?:\$value|\.Value)"
_PLAIN = re.compile(_VALUE)
_CALL = r'(humanize|humanizePercentage|humanizeDuration|printf\s+"((?:[^"\\]|\\")*)")'
_PIPED = re.compile(rf"{_VALUE}\s*\|\s*{_CALL}")
_CALLED = re.compile(rf"{_CALL}\s+{_VALUE}")
_VERB = re.compile(r"(?:[^%]|%%)*(%(?:\.\d{1,2})?[feg])(?:[^%]|%%)*")
_LARGE, _SMALL = "kMGTPEZY", "munpfazy"
_STEP = 1000
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_FIRST_PLAIN, _LAST_PLAIN = -4, 5


@dataclass(frozen=True, slots=True)
class Template:
    """A text that was checked; rendering it cannot fail."""

    pieces: tuple[Piece, ...]

    def render(self, labels: Labels, value: float) -> str:
        """The text for one result; a label that is not there is empty."""
        return "".join(piece(labels, value) for piece in self.pieces)


@lru_cache(maxsize=4096)
def parse(text: str) -> Template:
    """Read a template; raises TemplateError at the first action that we cannot render."""
    pieces: list[Piece] = []
    end = 0
    for action in _ACTION.finditer(text):
        pieces += [_text(text[end : action.start()]), _action(action[1].strip())]
        end = action.end()
    if "{{" in text[end:]:
        raise TemplateError(text[text.index("{{", end) :])
    return Template((*pieces, _text(text[end:])))


def number(value: float) -> str:
    """A value as Prometheus writes it: the fewest digits, with an exponent from a million on and below 0.0001."""
    if not math.isfinite(value):
        return _special(value)
    digits = Decimal(repr(value))
    power = digits.adjusted()
    if value and not _FIRST_PLAIN <= power <= _LAST_PLAIN:
        return f"{digits.scaleb(-power).normalize():f}e{power:+03d}"
    return f"{digits.normalize():f}" if value else "0"


def humanize(value: float) -> str:
    """With a prefix of the SI and 4 significant digits: 1.234M, 20m."""
    if not value or not math.isfinite(value):
        return _four(value)
    scaled, prefix = _scaled(value, _LARGE if abs(value) >= 1 else _SMALL)
    return f"{_four(scaled)}{prefix}"


def humanize_percentage(value: float) -> str:
    """A share in percent."""
    return f"{_four(value * 100)}%"


def humanize_duration(value: float) -> str:
    """Seconds as days, hours, minutes and seconds; below a second with a prefix."""
    if not math.isfinite(value):
        return _four(value)
    if value and abs(value) < 1:
        scaled, prefix = _scaled(value, _SMALL)
        return f"{_four(scaled)}{prefix}s"
    sign, whole = ("-" if value < 0 else ""), int(abs(value))
    days, hours = whole // _DAY, whole // _HOUR % 24
    minutes, seconds = whole // _MINUTE % 60, whole % _MINUTE
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    if minutes:
        return f"{sign}{minutes}m {seconds}s"
    return f"{sign}{_four(abs(value))}s"


_FUNCTIONS: Mapping[str, Callable[[float], str]] = {
    "humanize": humanize,
    "humanizePercentage": humanize_percentage,
    "humanizeDuration": humanize_duration,
}


def _text(text: str) -> Piece:
    return lambda _labels, _value: text


def _action(action: str) -> Piece:
    label = _LABEL.fullmatch(action)
    if label:
        name = label[1]
        return lambda labels, _value: labels.get(name, "")
    if _PLAIN.fullmatch(action):
        return lambda _labels, value: number(value)
    call = _PIPED.fullmatch(action) or _CALLED.fullmatch(action)
    if call is None:
        raise TemplateError(f"{{{{ {action} }}}}")
    function = _FUNCTIONS.get(call[1]) or _printf(call[2], action)
    return lambda _labels, value: function(value)


def _printf(pattern: str, action: str) -> Callable[[float], str]:
    verb = _VERB.fullmatch(pattern)
    if verb is None:
        raise TemplateError(f"{{{{ {action} }}}}")
    head, tail = (
        part.replace('\\"', '"').replace("%%", "%") for part in (pattern[: verb.start(1)], pattern[verb.end(1) :])
    )
    form = verb[1]
    return lambda value: f"{head}{_formatted(form, value)}{tail}"


def _formatted(form: str, value: float) -> str:
    if not math.isfinite(value):
        return _special(value)
    return number(value) if form == "%g" else form % value


def _scaled(value: float, prefixes: str) -> tuple[float, str]:
    """A number between 1 and 1,000 with its prefix, as far as there are prefixes."""
    given = ""
    for prefix in prefixes:
        if prefixes is _LARGE and abs(value) >= _STEP:
            given, value = prefix, value / _STEP
        elif prefixes is _SMALL and abs(value) < 1:
            given, value = prefix, value * _STEP
        else:
            break
    return value, given


def _four(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else _special(value)


def _special(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "+Inf" if value > 0 else "-Inf"
