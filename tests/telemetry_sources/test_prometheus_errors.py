"""What a person reads when Prometheus does not answer as it should; a part that fails is missing, never zero."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from monitoring.telemetry.sources.errors import SourceError
from monitoring.telemetry.sources.prometheus import PrometheusSource
from monitoring.telemetry.sources.readings import Batch
from tests.prometheus import free_port
from tests.telemetry_sources.answering import Reply, Server, answering

US = 1_000_000
START_US, END_US = 1_795_395_600 * US, 1_795_395_900 * US
HTML = {"Content-Type": "text/html"}
GPU = {"UUID": "GPU-1", "gpu": "0"}
UTIL, POWER = "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_POWER_USAGE"
NAMES_PATH = "/api/v1/label/__name__/values"


def _result(rows: list[object], **more: object) -> Reply:
    return Reply(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": rows}} | more))


def _list(items: list[object]) -> Reply:
    return Reply(json.dumps({"status": "success", "data": items}))


def _listed(count: int, *names: str) -> tuple[Reply, Reply]:
    """The lists of names and of one name's series, as they are asked for before the samples."""
    return _list(list(names)), _list([GPU] * count)


def _series(name: str) -> object:
    return {"metric": {"__name__": name} | GPU, "values": [[1_795_395_600, "40"], [1_795_395_630.25, "NaN"]]}


def _pull(address: str, **connection: Any) -> Batch:
    source = PrometheusSource(address, scrape_interval_s=30, **{"backoff_s": 0.0, "tries": 2} | connection)
    try:
        return source.pull(START_US, END_US)
    finally:
        source.close()


def _sentence(reply: Reply) -> str:
    with answering(reply) as server, pytest.raises(SourceError) as caught:
        _pull(server.address)
    return str(caught.value).replace(server.address, "URL")


def test_a_server_that_is_down() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(SourceError) as caught:
        _pull(address)
    assert str(caught.value) == f"{address} cannot be reached. Is it running and is the address right?"
    assert caught.value.transient


def test_a_server_that_keeps_silent() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(SourceError) as caught:
            _pull(address, timeout=(1.0, 0.2), tries=1)
    assert str(caught.value) == f"{address} did not answer in time (1 s to connect, 0.2 s to read). Is it overloaded?"


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (
            Reply("<html>Sign in</html>", headers=HTML),
            "URL answers with a web page, not with Prometheus' interface. Check the address.",
        ),
        (
            Reply("404 page not found", code=404),
            "URL has no /api/v1/label/__name__/values: this is not the address of a Prometheus. Check the path.",
        ),
        (
            Reply("Unauthorized", code=401),
            "URL answers HTTP 401: the token or password is missing or wrong. Set 'token' or 'basic_auth'.",
        ),
        (
            Reply('{"message": "no"}', code=403),
            "URL answers HTTP 403: the token or password is missing or wrong. Set 'token' or 'basic_auth'.",
        ),
        (
            Reply('{"status":"success","data":{"result":['),
            "URL answers HTTP 200 with something that is not whole JSON. Check the address.",
        ),
        (Reply('{"title": "a wiki"}'), "URL answers HTTP 200 without a result: this is not Prometheus' interface."),
        (Reply("[]"), "URL answers HTTP 200 without a result: this is not Prometheus' interface."),
        (Reply("Bad gateway", code=502), "URL answers HTTP 502. See the server's log."),
        (
            Reply('{"status":"error","errorType":"timeout","error":"query timed out"}', code=503),
            "URL refused the query (HTTP 503): query timed out",
        ),
    ],
)
def test_each_failure_has_its_sentence(reply: Reply, sentence: str) -> None:
    assert _sentence(reply) == sentence


def test_a_server_that_refuses_everything_is_missing_in_its_own_words() -> None:
    with answering(Reply('{"status":"error","errorType":"execution","error":"no"}', code=422)) as server:
        batch = _pull(server.address)
    assert batch.missing[0] == f"DCGM_FI_DEV_BOARD_POWER_WATTS: {server.address} refused the query (HTTP 422): no"


def test_a_post_is_tried_again_after_a_5xx() -> None:
    with answering(_list([]), Reply("", code=503), _result([])) as server:
        assert _pull(server.address) == Batch()
    assert [asked.path.partition("?")[0] for asked in server.asked] == [NAMES_PATH] + ["/api/v1/query"] * 3


def test_what_the_lists_do_not_know_is_asked_for_all_the_same() -> None:
    with answering(_list([]), _result([_series(UTIL)]), _result([])) as server:
        batch = _pull(server.address)
    assert [series.field.value for series in batch.series] == ["util"]


def test_lists_that_are_too_long_for_the_server_make_the_questions_small() -> None:
    refusal = Reply('{"status":"error","error":"more than 30000 series"}', code=422)
    with answering(_list([UTIL]), refusal, _result([])) as server:
        assert _pull(server.address) == Batch()
    questions = [asked.form["query"][0] for asked in server.asked[2:-1]]
    assert len(questions) == 1 + 17  # what is not listed, then the name's parts
    assert questions[1] == UTIL + '{UUID=~"(GPU-)?(0).*"}[300001ms]'
    with answering(refusal, _result([])) as server:
        assert _pull(server.address) == Batch()
    assert server.asked[1].form["query"][0].endswith("{}[300001ms]")


def test_an_answer_is_cut_and_its_times_are_whole() -> None:
    with answering(*_listed(1, UTIL), _result([_series(UTIL)]), _result([])) as server:
        batch = _pull(server.address)
    assert [series.times for series in batch.series] == [[1_795_395_600_000_000, 1_795_395_630_250_000]]
    assert [(rejected.field.value, rejected.at_us) for rejected in batch.rejected] == [("util", 1_795_395_630_250_000)]
    assert server.asked[1].form == {
        "match[]": [UTIL + "{}"],
        "start": ["1795395600.000000"],
        "end": ["1795395900.000000"],
        "limit": ["100000"],
    }
    question = server.asked[2].form
    assert question["query"][0].startswith('{__name__=~"DCGM_FI_')
    assert UTIL in question["query"][0]
    assert question["query"][0].endswith('"}[300001ms]')
    assert question["time"] == ["1795395900.000000"]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"warnings": ["store-7 is down"]}, "store-7 is down"),
        ({"isPartial": True}, "the server marks its answer as partial"),
    ],
)
def test_a_partial_answer_is_missing_and_its_rows_do_not_count(more: Mapping[str, object], reason: str) -> None:
    with answering(*_listed(1, UTIL), _result([_series(UTIL)], **more), _result([])) as server:
        batch = _pull(server.address)
    assert (batch.series, batch.missing) == ([], [f"{UTIL}: the answer is not whole: {reason}."])


def test_a_list_that_is_cut_short_is_no_gap() -> None:
    names, series = _listed(1, UTIL)
    cut = Reply(json.dumps(json.loads(series.body) | {"warnings": ["results truncated due to limit"]}))
    with answering(names, cut, _result([_series(UTIL)]), _result([])) as server:
        batch = _pull(server.address)
    assert (len(batch.series), batch.missing) == (1, [])


def test_a_shard_that_fails_is_missing_and_the_others_stay() -> None:
    refusal = Reply('{"status":"error","error":"too many samples"}', code=422)
    with answering(*_listed(4900, UTIL, POWER), _result([_series(UTIL)]), refusal, _result([])) as server:
        batch = _pull(server.address)
    assert [series.field.value for series in batch.series] == ["util"]
    assert batch.missing == [f"{POWER}: {server.address} refused the query (HTTP 422): too many samples"]


def _asked(server: Server, name: str) -> str | None:
    return server.asked[0].headers.get(name)


def test_token_tenant_and_headers_go_with_every_request() -> None:
    with answering(_list([]), _result([])) as server:
        _pull(server.address, token="s3cret", tenant="gpu", headers={"X-Team": "ops"})
    assert (_asked(server, "Authorization"), _asked(server, "X-Scope-OrgID"), _asked(server, "X-Team")) == (
        "Bearer s3cret",
        "gpu",
        "ops",
    )


def test_name_and_password_sign_in() -> None:
    with answering(_list([]), _result([])) as server:
        _pull(server.address, basic=("ann", "pw"))
    assert _asked(server, "Authorization") == "Basic YW5uOnB3"


def test_thanos_is_asked_for_whole_raw_answers() -> None:
    with answering(_list([]), _result([])) as server:
        _pull(server.address, thanos=True)
    form = server.asked[1].form
    assert {name: form[name] for name in ("dedup", "partial_response", "max_source_resolution")} == {
        "dedup": ["true"],
        "partial_response": ["false"],
        "max_source_resolution": ["0s"],
    }


def test_no_secret_stands_in_the_sources_own_text() -> None:
    from monitoring.telemetry.sources.promapi import Access

    text = repr(Access("http://x", headers={"Cookie": "s3cret"}, token="s3cret", basic=("ann", "s3cret")))
    assert "s3cret" not in text
