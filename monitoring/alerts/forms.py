"""What a person types about silences and maintenance windows, checked before anything is changed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator

from fleetledger.lib.durations import DurationError, parse_duration
from fleetledger.rest.params import LAST_YEAR
from fleetledger.web.accounts.forms import Dressed
from monitoring.alerts.matchers import Matcher, MatcherError, parse_all
from monitoring.alerts.tenants import Tenant

LASTS = (
    ("1h", "1 hour"),
    ("2h", "2 hours"),
    ("4h", "4 hours"),
    ("12h", "12 hours"),
    ("1d", "1 day"),
    ("3d", "3 days"),
    ("1w", "1 week"),
    ("until", "until …"),
)
_AT = forms.DateTimeInput({"type": "datetime-local", "step": "60"}, format="%Y-%m-%dT%H:%M")
_FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
_BEFORE_THE_LAST = MaxValueValidator(datetime(LAST_YEAR, 12, 31, tzinfo=UTC), "Give an earlier day.")


class QuietForm(Dressed, forms.Form):
    """A silence; with `is_maintenance` a window with a name. `now` is what a start left empty means."""

    team = forms.ChoiceField(label="Whose alerts")
    name = forms.CharField(label="What is done", max_length=200)
    matchers = forms.CharField(
        label="Withholds alerts with",
        max_length=4000,
        help_text='All must match: alertname="GpuIdle", node=~"gpu-.*". A label that is not there counts as empty.',
        widget=forms.Textarea({"rows": "2", "spellcheck": "false", "autocapitalize": "off"}),
    )
    starts_at = forms.DateTimeField(
        label="From, UTC",
        required=False,
        widget=_AT,
        input_formats=_FORMATS,
        help_text="Empty: now.",
        validators=[_BEFORE_THE_LAST],
    )
    lasts = forms.ChoiceField(label="For", choices=LASTS, initial="2h")
    ends_at = forms.DateTimeField(
        label="Until, UTC",
        required=False,
        widget=_AT,
        input_formats=_FORMATS,
        help_text="Only for “until …”.",
        validators=[_BEFORE_THE_LAST],
    )
    comment = forms.CharField(label="Why", max_length=4000, help_text="Others read this at night.")

    def __init__(
        self, *args: Any, tenants: Sequence[Tenant], now: datetime, is_maintenance: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._now = now
        team = self.fields["team"]
        assert isinstance(team, forms.ChoiceField)  # noqa: S101 tells the type checker
        team.choices = [(tenant.slug, tenant.name) for tenant in tenants]
        if is_maintenance:
            self.fields["comment"].required = False
        else:
            del self.fields["name"]

    def clean_matchers(self) -> tuple[Matcher, ...]:
        try:
            found = parse_all(self.cleaned_data["matchers"].replace("\x00", ""))
        except MatcherError as error:
            raise forms.ValidationError(str(error)) from error
        if not found:
            raise forms.ValidationError('Write at least one matcher, such as alertname="GpuIdle".')
        return found

    def clean(self) -> dict[str, Any]:
        """`start` and `end` as instants."""
        values = super().clean() or {}
        start = _utc(values.get("starts_at")) or self._now
        if values.get("lasts") == "until":
            end = _utc(values.get("ends_at"))
            if end is None:
                self.add_error("ends_at", "Give the end as day and time, or choose how long it lasts.")
        else:
            end = start + _length(values.get("lasts", ""))
        if end is not None and end <= max(start, self._now):
            self.add_error("ends_at", "It ends before it starts, or has ended already. Give a later end.")
        return values | {"start": start, "end": end}


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at else None


def _length(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except DurationError:
        return timedelta(hours=2)
