"""A thin layer over Prometheus' interface: time limits, retries, one error, partial answers told apart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import requests
from prometheus_api_client import PrometheusConnect

from fleetledger.lib.http import TIMEOUT, TRIES, retries
from monitoring.telemetry.sources.errors import RefusedError, SourceError, unreachable

QUERY_PATH = "/api/v1/query"
SERIES_PATH = "/api/v1/series"
NAMES_PATH = "/api/v1/label/__name__/values"
TENANT_HEADER = "X-Scope-OrgID"
THANOS = {"dedup": "true", "partial_response": "false", "max_source_resolution": "0s"}
SHOWN_TEXT = 300


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach one server. Secrets are values here, read by the caller; they stand in no message."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    tenant: str = ""
    thanos: bool = False
    ca_file: str = ""
    insecure_skip_verify: bool = False
    timeout: tuple[float, float] = TIMEOUT
    tries: int = TRIES
    backoff_s: float = 0.5

    def all_headers(self) -> dict[str, str]:
        """The headers of every request."""
        found = dict(self.headers)
        if self.token:
            found["Authorization"] = f"Bearer {self.token}"
        if self.tenant:
            found[TENANT_HEADER] = self.tenant
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of one query and, where the server could not read everything, why. `kind`: vector, matrix, scalar, …

    A scalar's rows are its time and its value as a text.
    """

    rows: list[Any]
    partial: str = ""
    kind: str = ""


class PrometheusApi:
    """One server, one connection pool."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._url = access.url.rstrip("/")
        session = requests.Session()
        session.verify = not access.insecure_skip_verify and (access.ca_file or True)
        client = PrometheusConnect(
            url=self._url,
            headers=access.all_headers(),
            auth=access.basic,
            retry=retries(tries=access.tries, backoff_s=access.backoff_s),
            session=session,
        )
        self._headers: dict[str, str] = client.headers
        self._session: requests.Session = client._session  # noqa: SLF001 the client's own methods know no time limit

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()

    def query(self, expression: str, at_us: int) -> Answer:
        """The rows of an instant query at a time; raises SourceError where there is no answer."""
        document = self._ask("POST", QUERY_PATH, {"query": expression, "time": _seconds(at_us)})
        data = document["data"]
        if not isinstance(data, dict) or not isinstance(data.get("result"), list):
            raise _no_result(self._url)
        return Answer(data["result"], _partial(document), str(data.get("resultType", "")))

    def read(self, path: str, wanted: dict[str, str]) -> Any:
        """What another of the server's addresses answers to a GET; raises SourceError."""
        return self._ask("GET", path, wanted)["data"]

    def names(self, match: str, start_us: int, end_us: int) -> list[str]:
        """Names of series that the server lists for a time, often rounded to its own blocks; raises SourceError."""
        return [str(name) for name in self._list("GET", NAMES_PATH, _matching(match, start_us, end_us))]

    def count(self, match: str, start_us: int, end_us: int, most: int) -> int:
        """How many series the server lists for a time, up to `most` where it knows limits; raises SourceError."""
        wanted = _matching(match, start_us, end_us) | {"limit": str(most)}
        return len(self._list("POST", SERIES_PATH, wanted))

    def _list(self, method: str, path: str, wanted: dict[str, str]) -> list[Any]:
        document = self._ask(method, path, wanted)
        data = document["data"]
        if not isinstance(data, list):
            raise _no_result(self._url)
        return data

    def _ask(self, method: str, path: str, wanted: dict[str, str]) -> dict[str, Any]:
        """The document of a success. Lists of a label's values know GET alone."""
        wanted = wanted | (THANOS if self._access.thanos else {})
        try:
            response = self._session.request(
                method,
                f"{self._url}{path}",
                params=wanted if method == "GET" else None,
                data=wanted if method == "POST" else None,
                headers=self._headers,
                auth=self._access.basic,
                timeout=self._access.timeout,
            )
        except requests.RequestException as error:
            raise unreachable(self._url, error, self._access.timeout) from error
        return _read(self._url, path, response)


def _seconds(at_us: int) -> str:
    """Seconds with six decimals, without a detour through floating-point."""
    return f"{at_us // 1_000_000}.{at_us % 1_000_000:06d}"


def _matching(match: str, start_us: int, end_us: int) -> dict[str, str]:
    return {"match[]": match, "start": _seconds(start_us), "end": _seconds(end_us)}


def _read(url: str, path: str, response: requests.Response) -> dict[str, Any]:
    try:
        document = orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise _not_json(url, path, response) from error
    if response.status_code != requests.codes.ok or not isinstance(document, dict):
        raise _refused(url, response, document)
    if document.get("status") != "success" or "data" not in document:
        raise _refused(url, response, document)
    return document


def _partial(document: Mapping[str, Any]) -> str:
    warnings = document.get("warnings") or []
    if warnings:
        return "; ".join(str(warning) for warning in warnings)[:SHOWN_TEXT]
    return "the server marks its answer as partial" if document.get("isPartial") else ""


def _not_json(url: str, path: str, response: requests.Response) -> SourceError:
    code = response.status_code
    if code in {requests.codes.unauthorized, requests.codes.forbidden}:
        return _signed_out(url, code)
    if code == requests.codes.not_found:
        return SourceError(f"{url} has no {path}: this is not the address of a Prometheus. Check the path.")
    if code >= requests.codes.server_error:
        return SourceError(f"{url} answers HTTP {code}. See the server's log.", transient=True)
    if b"<html" in response.content[:2000].lower() or "html" in response.headers.get("Content-Type", ""):
        return SourceError(f"{url} answers with a web page, not with Prometheus' interface. Check the address.")
    return SourceError(f"{url} answers HTTP {code} with something that is not whole JSON. Check the address.")


def _refused(url: str, response: requests.Response, document: object) -> SourceError:
    code = response.status_code
    if code in {requests.codes.unauthorized, requests.codes.forbidden}:
        return _signed_out(url, code)
    reason = document.get("error") if isinstance(document, dict) else None
    if not reason:
        return _no_result(url, code)
    words = f"{url} refused the query (HTTP {code}): {str(reason)[:SHOWN_TEXT]}"
    return SourceError(words, transient=True) if code >= requests.codes.server_error else RefusedError(words)


def _no_result(url: str, code: int = requests.codes.ok) -> SourceError:
    return SourceError(f"{url} answers HTTP {code} without a result: this is not Prometheus' interface.")


def _signed_out(url: str, code: int) -> SourceError:
    return SourceError(
        f"{url} answers HTTP {code}: the token or password is missing or wrong. Set 'token' or 'basic_auth'."
    )
