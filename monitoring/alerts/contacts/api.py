"""The endpoints about how people are reached: a person's own, and for an administrator's program anybody's."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.fleet.access import Capability, can
from fleetledger.fleet.models import User
from fleetledger.rest import params
from fleetledger.rest.auth import CallerMayRead, principal
from fleetledger.rest.parsers import StrictJsonParser
from fleetledger.rest.problems import NotFoundError, ProblemError
from fleetledger.rest.schema import columns, endpoint
from fleetledger.rest.views import ApiView
from monitoring.alerts import api_bodies, clock
from monitoring.alerts.acting import actor
from monitoring.alerts.contacts import bodies, entries, methods, preferences, reads, trials
from monitoring.alerts.contacts.api_answers import (
    ContactMethodAnswer,
    NotificationRulesAnswer,
    QuietHoursAnswer,
    TrialAnswer,
)
from monitoring.alerts.contacts.errors import ContactError
from monitoring.alerts.contacts.preferences import Quiet
from monitoring.alerts.oncall.documents import DAYS
from monitoring.alerts.tenants import AREA

USER = OpenApiParameter("user", str, description="Whose: a user name. Programs need it; people have their own.")
MOST_NAME = 150
_GIVEN: dict[str, Any] = {
    "to": serializers.CharField(required=False, help_text="A mail address, for email."),
    "url": serializers.CharField(required=False, help_text="For webhook, slack and apprise. Kept sealed."),
    "secret": serializers.CharField(required=False, help_text="What a webhook is signed with. Kept sealed."),
    "channel": serializers.CharField(required=False, help_text="Of Slack."),
    "routing_key": serializers.CharField(required=False, help_text="Of PagerDuty. Kept sealed."),
}
METHOD = inline_serializer(
    "NewContactMethod",
    {
        "kind": serializers.ChoiceField(choices=sorted(entries.KEYS)),
        "label": serializers.CharField(required=False),
        **_GIVEN,
        "verified": serializers.BooleanField(required=False, help_text="An administrator vouches that it is right."),
    },
)
LABEL = inline_serializer("ContactMethodName", {"label": serializers.CharField()})
ORDER = inline_serializer("ContactMethodOrder", {"order": serializers.ListField(child=serializers.IntegerField())})
CODE = inline_serializer("ContactMethodCode", {"code": serializers.CharField()})
RULES = inline_serializer(
    "NotificationRules",
    {
        "rules": inline_serializer(
            "NotificationRule",
            {"method": serializers.IntegerField(), "after": serializers.CharField(required=False)},
            many=True,
        )
    },
)
QUIET = inline_serializer(
    "QuietHours",
    {
        "from_time": serializers.CharField(help_text="Such as 22:00, in the person's time zone."),
        "until_time": serializers.CharField(),
        "days": serializers.ListField(child=serializers.ChoiceField(choices=DAYS), required=False),
    },
)


class CallerIsOwnerOrAdministrator(CallerMayRead):
    """People have their own; which program may look at anybody's is asked before anything else."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002 DRF's signature
        caller = principal(request)
        if isinstance(caller, User):
            return True
        if not can(caller, Capability.ADMIN, area=AREA):
            self.message = "How people are reached is for themselves: a program needs the scope 'admin', and no team."
            return False
        return True


class ContactView(ApiView):
    """A person is asked nothing more; a program must be an administrator's and name the person."""

    area = AREA
    write_capability = Capability.ADMIN
    permission_classes = [CallerIsOwnerOrAdministrator]
    parser_classes = [StrictJsonParser]

    def person(self, request: Request) -> User:
        """Whose contact methods these are; 404 for a caller who may not look at them."""
        caller = principal(request)
        named = request.query_params.get("user", "")
        if isinstance(caller, User) and named in ("", caller.username):
            return caller
        if not named and not isinstance(caller, User):
            raise ProblemError("A program names whose contact methods it means: ?user=NAME.", parameter="user")
        found = None
        if can(caller, Capability.ADMIN, area=AREA):
            found = User.objects.filter(username=named[:MOST_NAME].replace("\x00", ""), is_active=True).first()
        if found is None:
            raise NotFoundError("There is no such person, or you may not look at how they are reached.")
        return found


class ContactMethods(ContactView):
    csv_columns = columns(ContactMethodAnswer)

    @endpoint(
        ContactMethodAnswer,
        many=True,
        summary="Contact methods in the order in which they page",
        parameters=[USER],
        refusals=(404,),
    )
    def get(self, request: Request) -> Response:
        params.only(request, "user")
        rows = reads.methods_of(self.person(request), clock.now())
        return self.page([*map(ContactMethodAnswer.of, rows)], lambda row: (row.position, row.id))

    @endpoint(
        ContactMethodAnswer,
        summary="Add a contact method; it is used once its owner has typed the code that is sent to it",
        status=201,
        parameters=[USER],
        request=METHOD,
        refusals=(400, 403, 404, 409, 415),
        csv=False,
        operation_id="contact_method_create",
    )
    def post(self, request: Request) -> Response:
        params.only(request, "user")
        person = self.person(request)
        data = api_bodies.document(request, "kind", "label", "verified", *_GIVEN)
        given = {key: api_bodies.text(data, key, most=entries.MAX_ADDRESS) for key in _GIVEN if key in data}
        vouched_by = self._vouched_by(request) if api_bodies.flag(data, "verified") else ""
        label = api_bodies.text(data, "label", "", most=entries.MAX_NAME)
        kind = api_bodies.text(data, "kind", most=entries.MAX_NAME)
        made = methods.add(person, kind, given, label, vouched_by=vouched_by)
        return Response(ContactMethodAnswer.of(reads.method(person, made.pk, clock.now())), status=201)

    def _vouched_by(self, request: Request) -> str:
        caller = principal(request)
        if not can(caller, Capability.ADMIN, area=AREA):
            raise ProblemError(
                "Only an administrator can vouch for a contact method. Leave out 'verified'.", status=403
            )
        return actor(caller).name


class OneContactMethod(ContactView):
    @endpoint(
        ContactMethodAnswer,
        summary="A contact method",
        parameters=[USER],
        refusals=(404,),
        csv=False,
        operation_id="contact_method",
    )
    def get(self, request: Request, method_id: int) -> Response:
        params.only(request, "user")
        return self._answer(self.person(request), method_id)

    @endpoint(
        ContactMethodAnswer,
        summary="Give a contact method another name",
        parameters=[USER],
        request=LABEL,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="contact_method_rename",
    )
    def patch(self, request: Request, method_id: int) -> Response:
        params.only(request, "user")
        person = self.person(request)
        label = api_bodies.text(api_bodies.document(request, "label"), "label", most=entries.MAX_NAME)
        methods.rename(person, method_id, label)
        return self._answer(person, method_id)

    @endpoint(
        None,
        summary="Remove a contact method: it is used no more from now on",
        status=204,
        parameters=[USER],
        refusals=(404,),
        csv=False,
        operation_id="contact_method_remove",
    )
    def delete(self, request: Request, method_id: int) -> Response:
        params.only(request, "user")
        methods.remove(self.person(request), method_id)
        return Response(status=204)

    def _answer(self, person: User, method_id: int) -> Response:
        return Response(ContactMethodAnswer.of(reads.method(person, method_id, clock.now())))


class ContactMethodOrder(ContactView):
    @endpoint(
        ContactMethodAnswer,
        many=True,
        summary="Put contact methods into another order",
        parameters=[USER],
        request=ORDER,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="contact_method_order",
    )
    def put(self, request: Request) -> Response:
        params.only(request, "user")
        person = self.person(request)
        order = api_bodies.document(request, "order").get("order")
        if not isinstance(order, list) or not all(type(item) is int and 0 < item < bodies.MOST_ID for item in order):
            raise ContactError("'order' is a list of the numbers of all contact methods.", "order")
        methods.reorder(person, order)
        rows = reads.methods_of(person, clock.now())
        return self.page([*map(ContactMethodAnswer.of, rows)], lambda row: (row.position, row.id))


class SendCode(ContactView):
    @endpoint(
        TrialAnswer,
        summary="Send a code to a contact method, for its owner to type",
        parameters=[USER],
        request=None,
        refusals=(404, 409),
        csv=False,
        operation_id="contact_method_send_code",
    )
    def post(self, request: Request, method_id: int) -> Response:
        params.only(request, "user")
        return Response(TrialAnswer.of(trials.send_code(self.person(request), method_id)))


class Verify(ContactView):
    @endpoint(
        ContactMethodAnswer,
        summary="Answer with the code that was sent: the contact method is used from now on",
        parameters=[USER],
        request=CODE,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="contact_method_verify",
    )
    def post(self, request: Request, method_id: int) -> Response:
        params.only(request, "user")
        person = self.person(request)
        code = api_bodies.text(api_bodies.document(request, "code"), "code", most=entries.MAX_NAME)
        trials.confirm(person, method_id, code)
        return Response(ContactMethodAnswer.of(reads.method(person, method_id, clock.now())))


class SendTest(ContactView):
    @endpoint(
        TrialAnswer,
        summary="Send a test to a verified contact method",
        parameters=[USER],
        request=None,
        refusals=(404, 409),
        csv=False,
        operation_id="contact_method_test",
    )
    def post(self, request: Request, method_id: int) -> Response:
        params.only(request, "user")
        return Response(TrialAnswer.of(trials.send_test(self.person(request), method_id)))


class NotificationRules(ContactView):
    @endpoint(
        NotificationRulesAnswer,
        summary="By which contact method a person is paged after how long",
        parameters=[USER],
        refusals=(404,),
        csv=False,
        operation_id="notification_rules",
    )
    def get(self, request: Request) -> Response:
        params.only(request, "user")
        return self._answer(self.person(request))

    @endpoint(
        NotificationRulesAnswer,
        summary="Set the rules; none: one verified method every five minutes, in order",
        parameters=[USER],
        request=RULES,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="notification_rules_set",
    )
    def put(self, request: Request) -> Response:
        params.only(request, "user")
        person = self.person(request)
        preferences.set_rules(person, bodies.rules(api_bodies.document(request, "rules").get("rules")))
        return self._answer(person)

    def _answer(self, person: User) -> Response:
        return Response(NotificationRulesAnswer.of(reads.settings_of(person, clock.now())))


class QuietHoursView(ContactView):
    @endpoint(
        QuietHoursAnswer,
        summary="When a person is paged by critical alerts alone",
        parameters=[USER],
        refusals=(404,),
        csv=False,
        operation_id="quiet_hours",
    )
    def get(self, request: Request) -> Response:
        params.only(request, "user")
        return self._answer(self.person(request))

    @endpoint(
        QuietHoursAnswer,
        summary="Set quiet hours",
        parameters=[USER],
        request=QUIET,
        refusals=(400, 404, 415),
        csv=False,
        operation_id="quiet_hours_set",
    )
    def put(self, request: Request) -> Response:
        params.only(request, "user")
        person = self.person(request)
        preferences.set_quiet(person, _quiet(api_bodies.document(request, "from_time", "until_time", "days")))
        return self._answer(person)

    @endpoint(
        None,
        summary="Have no quiet hours",
        status=204,
        parameters=[USER],
        refusals=(404,),
        csv=False,
        operation_id="quiet_hours_clear",
    )
    def delete(self, request: Request) -> Response:
        params.only(request, "user")
        preferences.clear_quiet(self.person(request))
        return Response(status=204)

    def _answer(self, person: User) -> Response:
        return Response(QuietHoursAnswer.of(reads.settings_of(person, clock.now()).quiet, person.time_zone))


def _quiet(data: Mapping[str, Any]) -> Quiet:
    return bodies.quiet(data, "from_time", "until_time")
