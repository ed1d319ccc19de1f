"""Takes files of rows by way of the disk, as a request's body or as a form: one block of them in memory at a time."""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import IO, Any, TypeAlias

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser
from rest_framework.request import Request

from drift.api import DriftView, no_such_model
from drift.errors import DataTooLargeError
from drift.ingest import Sender
from drift.models import Model
from drift.reads import stored
from drift.reviews import verdicts
from drift.sending import check_may_send
from fleetledger.fleet.access import Principal
from fleetledger.fleet.models import User
from fleetledger.rest import params
from fleetledger.rest.problems import ProblemError

BLOCK_BYTES = 1 << 20
FORM_BYTES = 1 << 20  # of a form beside its file
MEDIA_TYPES = ("text/csv", "application/vnd.apache.parquet", "application/octet-stream")
UNNAMED = "rows"
_GZIP = zlib.MAX_WBITS | 16
Upload: TypeAlias = "UploadedFile[bytes]"
Parsed: TypeAlias = "DataAndFiles[QueryDict, MultiValueDict[str, TemporaryUploadedFile]]"


@dataclass(frozen=True, slots=True)
class Rows:
    """A file that lies on disk until the request ends."""

    stream: IO[bytes]
    name: str
    digest: str


class RowsBody(BaseParser):
    """The request's body as the file itself; `Content-Encoding: gzip` is undone."""

    media_type = "*/*"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Parsed:
        request: Request = (parser_context or {})["request"]
        encoding = request.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ("", "identity", "gzip"):
            raise ParseError("Send the body as it is, or with 'Content-Encoding: gzip'.")
        blocks = _blocks(stream, declared_bytes(request._request))  # noqa: SLF001 DRF hides the length
        file = TemporaryUploadedFile(UNNAMED, media_type or "", 0, None)
        try:
            file.size = _spool(_unpacked(blocks) if encoding == "gzip" else blocks, file)
        except BaseException:
            file.close()
            raise
        return DataAndFiles(QueryDict(), MultiValueDict({"file": [file]}))


class RowsView(DriftView):
    """Takes a file of rows. What says itself to be too long is refused before a byte of it is read."""

    parser_classes = [MultiPartParser, RowsBody]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        limit: int = settings.DRIFT_DATA_MAX_BYTES
        if (declared_bytes(request._request) or 0) > limit + FORM_BYTES:  # noqa: SLF001 DRF hides the length
            raise DataTooLargeError(limit)
        super().initial(request, *args, **kwargs)

    def model(self) -> Model:
        """The model that is asked for, where this caller may send its rows. The body is read after that."""
        name = asked(self.request, "model")
        if not name:
            raise ProblemError("Name the model: 'model' in the address or in the form.", parameter="model")
        found = stored(name, teams=self.teams)
        if found is None:
            raise no_such_model(name)
        check_may_send(self.caller, found)
        return found


def asked(request: Request, name: str, *, most: int = params.MAX_TEXT) -> str:
    """A word of the address or, where it is not there, of the form; empty where there is none."""
    value = request.query_params.get(name)
    if value is None and _is_form(request):
        held = _data(request).get(name)
        value = held if isinstance(held, str) else None
    if value is None:
        return ""
    if len(value) > most or "\x00" in value:
        raise ProblemError(f"'{name}' is a text of at most {most} characters.", parameter=name)
    return value.strip()


@contextmanager
def rows_of(request: Request) -> Iterator[Rows]:
    """The file that a request brings, gone from the disk afterwards."""
    with closing(_file(request)) as file:
        limit: int = settings.DRIFT_DATA_MAX_BYTES
        if (file.size or 0) > limit:
            raise DataTooLargeError(limit)
        digest = hashlib.sha256()
        for block in file.chunks(BLOCK_BYTES):
            digest.update(block)
        file.seek(0)
        yield Rows(file, asked(request, "filename") or file.name or UNNAMED, digest.hexdigest())


def sender(caller: Principal) -> Sender:
    """Who brings rows. Behind a token stands the person who made it, who may not review what it sent."""
    who = verdicts.person(caller)
    return Sender(who.user, "" if isinstance(caller, User) else who.name)


def declared_bytes(request: HttpRequest) -> int | None:
    """The length that the client tells; None where it tells none."""
    text = request.META.get("CONTENT_LENGTH") or ""
    return int(text) if text.isascii() and text.isdigit() else None


def _file(request: Request) -> Upload:
    file = _unmeasured(request) or _data(request).get("file")
    if not isinstance(file, UploadedFile):
        raise ProblemError("Send the rows as the body itself, or as the form's 'file'.", parameter="file")
    return file


def _unmeasured(request: Request) -> "Upload | None":
    """A body without a length, which Django takes for empty, where the server says that it knows the body's end."""
    meta = request._request.META  # noqa: SLF001 DRF hides the server's stream
    is_measured = bool(meta.get("CONTENT_LENGTH"))
    if _is_form(request) or is_measured or not meta.get("wsgi.input_terminated"):
        return None
    return RowsBody().parse(meta["wsgi.input"], request.content_type, {"request": request}).files.get("file")


def _data(request: Request) -> Mapping[str, Any]:
    """Parsed, which reads the body."""
    data = request.data
    return data if isinstance(data, Mapping) else {}


def _is_form(request: Request) -> bool:
    return bool(request.content_type and request.content_type.lower().startswith("multipart/form-data"))


def _blocks(stream: IO[bytes], declared: int | None) -> Iterator[bytes]:
    """The body as it comes, up to the limit; one that ends early is none."""
    limit, read = int(settings.DRIFT_DATA_MAX_BYTES), 0
    while block := stream.read(BLOCK_BYTES):
        read += len(block)
        if read > limit:
            raise DataTooLargeError(limit)
        yield block
    if declared is not None and read < declared:
        raise ParseError(f"The body ended after {read} of {declared} bytes. Send it again.")


def _unpacked(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Gzip undone, a block at a time however much it holds."""
    packed = zlib.decompressobj(wbits=_GZIP)
    try:
        for block in blocks:
            rest = block
            while rest:
                if packed.eof:  # a file may be several, one after the other
                    packed = zlib.decompressobj(wbits=_GZIP)
                yield packed.decompress(rest, BLOCK_BYTES)
                rest = packed.unused_data if packed.eof else packed.unconsumed_tail
        yield packed.flush()
    except zlib.error as error:
        raise ParseError("The body is no gzip, as its Content-Encoding says.") from error
    if not packed.eof:
        raise ParseError("The body's gzip is cut off.")


def _spool(blocks: Iterable[bytes], target: IO[bytes]) -> int:
    limit, size = int(settings.DRIFT_DATA_MAX_BYTES), 0
    for block in blocks:
        size += len(block)
        if size > limit:
            raise DataTooLargeError(limit)
        target.write(block)
    target.flush()
    return size
