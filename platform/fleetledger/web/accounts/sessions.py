"""Signing in and out, the first administrator's set-up link, a new password."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from fleetledger.fleet import first_setup, users
from fleetledger.fleet.errors import FleetError
from fleetledger.web.accounts import reads
from fleetledger.web.accounts.callers import person_of
from fleetledger.web.accounts.forms import NewPasswordForm, SetUpForm, SignInForm

BACKEND = "django.contrib.auth.backends.ModelBackend"


class SignIn(LoginView):
    """The page of name and password; too many failures lock the name for a while (django-axes)."""

    authentication_form: type[AuthenticationForm] = SignInForm
    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"is_empty": not reads.somebody_can_sign_in()}


@require_POST
@login_not_required
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("sign-in")


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@login_not_required
def set_up(request: HttpRequest, token: str) -> HttpResponse:
    """The one-time link: makes the first administrator and signs them in. A spent or foreign link is no page."""
    if not first_setup.is_open_to(token):
        raise Http404("This set-up link is spent or too old. Sign in, or make a person with: fleetledger user create.")
    form = SetUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = users.create_first_admin(token, form.cleaned_data["username"], form.cleaned_data["password"])
        except FleetError as error:
            form.add_error(None, str(error))
        else:
            login(request, user, backend=BACKEND)
            messages.success(request, f"Welcome, {user.username}. Next: bring in teams and sources (see Help).")
            return redirect("overview")
    return render(request, "accounts/set_up.html", {"form": form}, status=200 if request.method == "GET" else 422)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """A new password; other sessions of this person end."""
    user = person_of(request)
    form = NewPasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        update_session_auth_hash(request, user)
        messages.success(request, "The password is changed. Other sessions of yours are signed out.")
        return redirect("settings")
    status = 200 if request.method == "GET" else 422
    return render(request, "settings/password.html", {"form": form, "tab": "profile"}, status=status)
