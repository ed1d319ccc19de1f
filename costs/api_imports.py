"""The endpoints of bill imports: deliver a file, and see what became of it."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any, TypeAlias

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import FileUploadParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from costs import api_answers as answers
from costs import importing, reads, reads_imports
from costs.api import CostsView
from costs.models import DeliveryMode
from costs.sources import blocks
from fleetledger.fleet.access import Capability
from fleetledger.fleet.models import User
from fleetledger.rest import idempotency, params
from fleetledger.rest.problems import NotFoundError, ProblemError
from fleetledger.rest.schema import endpoint
from fleetledger.rest.views import with_etag

MEDIA_TYPES = ("text/csv", "application/gzip", "application/octet-stream")
UNNAMED = "bill.csv"
Upload: TypeAlias = "UploadedFile[bytes]"


class _RawFile(FileUploadParser):
    """The request's body as the file itself; its name from Content-Disposition or `filename`."""

    media_type = "*/*"

    def get_filename(self, stream: Any, media_type: Any, parser_context: Any) -> str:
        named: str | None = super().get_filename(stream, media_type, parser_context)
        query: str = parser_context["request"].query_params.get("filename", "")
        return named or query or UNNAMED


UPLOAD_FORM = inline_serializer(
    "BillUpload",
    {
        "source": serializers.CharField(),
        "mode": serializers.ChoiceField(DeliveryMode.choices, default=DeliveryMode.OVERWRITE),
        "file": serializers.FileField(),
    },
)


class BillImports(CostsView):
    """Deliveries. POST a file as multipart (source, mode, file) or as the body with ?source=."""

    write_capability = Capability.IMPORT_BILLS
    parser_classes = [MultiPartParser, _RawFile]

    @endpoint(
        answers.ImportAnswer,
        many=True,
        summary="Bill imports",
        parameters=[OpenApiParameter("source", str, description="Only deliveries of this bill source.")],
    )
    def get(self, request: Request) -> Response:
        params.only(request, "source")
        source = params.text(request, "source") or None
        rows = reads_imports.imports(teams=self.teams, source=source, limit=10_000)
        return self.page([answers.ImportAnswer.of(row) for row in reversed(rows)], lambda row: (row.id,))

    @endpoint(
        answers.ImportAnswer,
        summary="Deliver a bill",
        status=202,
        request={"multipart/form-data": UPLOAD_FORM, **dict.fromkeys(MEDIA_TYPES, bytes)},
        refusals=(409, 413),
        csv=False,
    )
    def post(self, request: Request) -> Response:
        with closing(_file(request)) as upload:
            return self._deliver(request, upload)

    def _deliver(self, request: Request, upload: Upload) -> Response:
        source, mode = _asked(request)
        limit: int = settings.BILL_UPLOAD_MAX_BYTES
        sha256, _ = blocks.digest(upload, name=upload.name or UNNAMED, limit_bytes=limit)  # type: ignore[arg-type]
        return idempotency.once(request, f"{source}\n{mode}\n{sha256}", lambda: self._receive(upload, source, mode))

    def _receive(self, upload: Upload, source: str, mode: str) -> Response:
        user = self.caller if isinstance(self.caller, User) else None
        name = upload.name or UNNAMED
        done = importing.receive_and_enqueue(source, name, upload, mode=mode, user=user)  # type: ignore[arg-type]
        found = reads_imports.bill_import(done.delivery_id, teams=self.teams)
        if found is None:
            raise NotFoundError("The delivery was stored, but you may not see it.")
        answer = Response(answers.ImportAnswer.of(found.summary), status=200 if done.is_known else 202)
        answer["Location"] = f"/api/v1/bill-imports/{done.delivery_id}"
        return answer


class BillImport(CostsView):
    """One delivery with counts, totals, difference, conformance and quarantine."""

    @endpoint(answers.ImportDetailAnswer, summary="A bill import", refusals=(404,), csv=False)
    def get(self, request: Request, delivery_id: int) -> Response:
        params.only(request)

        def build() -> Response:
            found = reads_imports.bill_import(delivery_id, teams=self.teams)
            if found is None:
                raise NotFoundError(f"No bill import has the number {delivery_id}.")
            answer = answers.ImportDetailAnswer.of(found)
            return Response(answer)

        state = reads_imports.state(delivery_id)
        return with_etag(request, f"{reads.version()} {state}", build)


def _file(request: Request) -> Upload:
    upload = _form(request).get("file")
    if not isinstance(upload, UploadedFile):
        raise ProblemError("Send the bill as the form's 'file', or as the body itself.", parameter="file")
    return upload


def _form(request: Request) -> Mapping[str, Any]:
    return request.data if isinstance(request.data, Mapping) else {}


def _asked(request: Request) -> tuple[str, str]:
    """Source and mode, from the form or the address."""
    form = _form(request)
    asked = {
        **request.query_params.dict(),
        **{key: form[key] for key in ("source", "mode") if key in form},
    }
    source, mode = str(asked.get("source", "")), str(asked.get("mode", DeliveryMode.OVERWRITE))
    if not source:
        raise ProblemError("Name the bill source: 'source' in the form or in the address.", parameter="source")
    if mode not in DeliveryMode.values:
        raise ProblemError(f"'mode' is one of {', '.join(DeliveryMode.values)}.", parameter="mode")
    return source, mode
