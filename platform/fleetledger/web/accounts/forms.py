"""What a person types on the account pages, checked before anything is changed."""

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.utils import timezone

from fleetledger.fleet.models import Role
from fleetledger.web.accounts.reads import Choice

READ_SCOPES = (
    ("read", "Read everything"),
    ("read:costs", "Read costs"),
    ("read:telemetry", "Read usage"),
    ("read:fleet", "Read teams, nodes and GPUs"),
    ("read:alerts", "Read alerts"),
    ("read:drift", "Read drift of models"),
)
ADMIN_SCOPES = (
    *READ_SCOPES,
    ("write", "Read and write"),
    ("write:costs", "Write costs: import bills"),
    ("write:telemetry", "Write usage"),
    ("write:alerts", "Write alerts: send, acknowledge, silence"),
    ("write:drift", "Write drift: send reports"),
    ("admin", "Everything an administrator may do"),
)
LENGTH_HINT = "At least 10 characters, and not a common one."
LIFETIMES = (("30", "30 days"), ("90", "90 days"), ("365", "One year"), ("", "No end"))


class Dressed(forms.BaseForm):
    """A form whose fields look like the site's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "input")


class SignInForm(Dressed, AuthenticationForm):
    """Name and password; says the same whether the name or the password was wrong."""

    error_messages = {
        "invalid_login": "The name or the password is wrong. Both are case-sensitive.",
        "inactive": "The name or the password is wrong. Both are case-sensitive.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "Name"


class NewPasswordForm(Dressed, PasswordChangeForm):
    """The old password once, the new one twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = "Password until now"
        self.fields["new_password1"].label = "New password"
        self.fields["new_password1"].help_text = LENGTH_HINT
        self.fields["new_password2"].label = "New password again"
        self.fields["new_password2"].help_text = ""


class SetUpForm(Dressed, forms.Form):
    """The first administrator."""

    username = forms.CharField(
        label="Name", max_length=150, widget=forms.TextInput({"autocomplete": "username", "autofocus": True})
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=LENGTH_HINT,
    )
    repeated = forms.CharField(
        label="Password again", strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("password") and values.get("repeated") and values["password"] != values["repeated"]:
            self.add_error("repeated", "The two passwords differ. Type the same one twice.")
        return values


class ProfileForm(Dressed, forms.Form):
    """How a person is called and in which time zone pages show instants."""

    first_name = forms.CharField(label="First name", max_length=150, required=False)
    last_name = forms.CharField(label="Last name", max_length=150, required=False)
    email = forms.EmailField(label="E-mail", required=False)
    time_zone = forms.ChoiceField(
        label="Time zone",
        help_text="Pointing at an instant shows it in this zone too. Days, months and bills are in UTC.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})
        names.remove("UTC")
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 tells the type checker
        field.choices = [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class TokenForm(Dressed, forms.Form):
    """A new API token. `teams` are those that the person may hand out; `is_admin` offers more than reading."""

    name = forms.CharField(label="Name", max_length=100, help_text="What will use it, for example grafana.")
    scope = forms.ChoiceField(label="May")
    team = forms.ChoiceField(label="Sees", required=False)
    lifetime = forms.ChoiceField(label="Lasts", choices=LIFETIMES, initial="90", required=False)

    def __init__(self, *args: Any, teams: tuple[Choice, ...], is_admin: bool, sees_fleet: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scope, team = self.fields["scope"], self.fields["team"]
        assert isinstance(scope, forms.ChoiceField)  # noqa: S101 tells the type checker
        assert isinstance(team, forms.ChoiceField)  # noqa: S101 tells the type checker
        scope.choices = ADMIN_SCOPES if is_admin else READ_SCOPES
        whole = [("", "The whole fleet")] if sees_fleet else []
        team.choices = [*whole, *((choice.value, choice.label) for choice in teams)]
        team.required = not sees_fleet

    def expires_at(self) -> datetime | None:
        """The end of the last day of its life, in UTC."""
        days = self.cleaned_data["lifetime"]
        if not days:
            return None
        last: date = (timezone.now() + timedelta(days=int(days))).astimezone(UTC).date()
        return datetime.combine(last + timedelta(days=1), time.min, tzinfo=UTC)


class PersonForm(Dressed, forms.Form):
    """A new person with a first password, to be changed by them."""

    username = forms.CharField(label="Name", max_length=150, help_text="Letters, digits and @ . + - _ only.")
    email = forms.EmailField(label="E-mail", required=False)
    role = forms.ChoiceField(label="Role in the whole fleet", choices=Role.choices, initial=Role.VIEWER)
    password = forms.CharField(
        label="First password",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text="At least 10 characters. Tell it in person; they change it under Settings.",
    )


class RoleForm(Dressed, forms.Form):
    role = forms.ChoiceField(label="Role in the whole fleet", choices=Role.choices)


class MembershipForm(Dressed, forms.Form):
    """A team with the role a person has in it."""

    team = forms.ChoiceField(label="Team")
    role = forms.ChoiceField(label="Role in the team", choices=[(Role.VIEWER, "Viewer"), (Role.LEAD, "Lead")])

    def __init__(self, *args: Any, teams: tuple[Choice, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["team"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 tells the type checker
        field.choices = [(choice.value, choice.label) for choice in teams]
