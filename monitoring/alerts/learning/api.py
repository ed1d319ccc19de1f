"""The endpoints of the reports: how fast, how noisy, whom it woke, on what nobody acted, and what to change."""

from datetime import datetime, timedelta

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.lib.buckets import MICROSECOND, Window
from fleetledger.rest import params
from fleetledger.rest.auth import principal
from fleetledger.rest.pagination import Ask, page_of, paged_response
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import with_content_etag
from monitoring.alerts import clock
from monitoring.alerts.api import SEVERITY, TEAM, AlertsView
from monitoring.alerts.learning import load, noise, suggestions, times
from monitoring.alerts.learning.asked import Asked
from monitoring.alerts.learning.tables import RuleLine

USUAL = timedelta(days=30)
LONGEST = timedelta(days=366 * 5)
PARAMETERS = [
    OpenApiParameter("from", str, description="Heard of from here on; 30 days before `to` unless given."),
    OpenApiParameter("to", str, description="Heard of before; now unless given."),
    TEAM,
    SEVERITY,
]


class Report(AlertsView):
    def asked(self) -> Asked:
        """Raises ProblemError."""
        request = self.request
        params.only(request, "from", "to", "team", "severity")
        end: datetime = params.instant(request, "to", clock.now())
        default = Window(end - USUAL, end)
        window = params.window(request, step=MICROSECOND, longest=LONGEST, default=default)
        return Asked(window, params.text(request, "severity"), params.text(request, "team"))


class SummaryReport(Report):
    @endpoint(
        times.Summary,
        summary="How long until somebody had an alert, and until it was over",
        parameters=PARAMETERS,
        csv=False,
        operation_id="alert_report_summary",
    )
    def get(self, request: Request) -> Response:
        return with_content_etag(request, Response(times.summary(self.asked(), teams=self.teams)))


class RulesReport(Report):
    csv_columns = columns(RuleLine)

    @endpoint(RuleLine, many=True, summary="The noisiest rules", parameters=PARAMETERS)
    def get(self, request: Request) -> Response:
        found = [*map(RuleLine.of, noise.noisiest(self.asked(), teams=self.teams).rules)]
        return with_content_etag(request, self.page(found, lambda row: (-row.episodes, row.name, row.team or "")))


class PeopleReport(Report):
    csv_columns = columns(load.PersonLoad)

    @endpoint(
        load.PersonLoad,
        many=True,
        summary="Pages per person; other people's only for SREs, admins and members of the team",
        parameters=PARAMETERS,
    )
    def get(self, request: Request) -> Response:
        found = load.people(self.asked(), load.reader(principal(request)))
        return with_content_etag(request, self.page(list(found), lambda row: (-row.pages, row.username)))


class UnattendedReport(Report):
    csv_columns = columns(noise.Unattended)

    @endpoint(noise.Unattended, many=True, summary="Alerts on which nobody acted", parameters=PARAMETERS)
    def get(self, request: Request) -> Response:
        ask = Ask.of(request)
        found = noise.unattended(self.asked(), ask, ask.number, teams=self.teams)
        return paged_response(request, page_of(found, ask, lambda row: (row.id,)))


class SuggestionsReport(Report):
    csv_columns = columns(suggestions.Suggestion)

    @endpoint(
        suggestions.Suggestion,
        many=True,
        summary="What to change about noisy rules, with what it would have saved",
        parameters=PARAMETERS,
    )
    def get(self, request: Request) -> Response:
        found = suggestions.suggestions(self.asked(), teams=self.teams).found
        return with_content_etag(request, self.page(list(found), _saving))


def _saving(row: suggestions.Suggestion) -> tuple[int, str, str, str]:
    return (-row.saved, row.rule, row.team or "", row.kind.value)
