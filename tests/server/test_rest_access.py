"""Who gets in, how often, with how much; and that whatever is refused is a problem of RFC 9457."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest
from fastapi import FastAPI
from websockets.exceptions import InvalidStatus

from tests.doubles.rest_client import rest
from voicebot.errors import BadInput, Unavailable
from voicebot.server.rest import guard
from voicebot.server.rest.bodies import MOST_BYTES
from voicebot.server.rest.openapi import openapi
from voicebot.server.rest.problems import MEDIA_TYPE, install
from voicebot.server.rest.rates import MOST_NAMES, Rate, network
from voicebot.server.state import SCOPES

CALL = "20260131-174502-9f86d0"
OPEN = {"/livez", "/readyz"}
OPERATIONS = [
    (method.upper(), path.replace("{name}", "ava").replace("{call_id}", CALL), operation["security"][0]["key"])
    for path, operations in openapi()["paths"].items()
    for method, operation in operations.items()
    if path not in OPEN
]
WRONG = f"vb_{'a' * 12}_{'b' * 43}"


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def problem(answer: httpx.Response, status: int) -> str:
    """The title of the problem that an answer must be."""
    said = answer.json()
    assert answer.status_code == said["status"] == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert said["type"].startswith("urn:voicebot:problem:")
    title: str = said["title"]
    return title


async def test_there_is_nothing_without_a_key(tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "FAILED_AT_ONCE", 1000)
    async with rest(tmp_path) as client:
        for method, path, _ in OPERATIONS:
            for authorization in ("", f"Bearer {WRONG}", client.secret, f"Basic {client.secret}", "Bearer \xff"):
                headers = {b"Authorization": authorization.encode("latin-1")}
                refused = await client.http.request(method, path, headers=headers)
                assert problem(refused, 401) == "Unauthorized"
                assert refused.headers["www-authenticate"].startswith('Bearer realm="voicebot"')
        for path in OPEN:
            assert (await client.http.get(path, headers={"Authorization": ""})).json() == {"status": "ok"}


async def test_every_route_wants_its_scope(tmp_path):
    async with rest(tmp_path) as client:
        for scope in SCOPES:
            others = await client.key(*(SCOPES.keys() - {scope}), name=f"not-{scope.replace(':', '-')}")
            for method, path, needed in OPERATIONS:
                answer = await client.http.request(method, path, headers=others)
                if scope in needed:
                    assert problem(answer, 403) == "Forbidden"
                    assert f'scope="{scope}"' in answer.headers["www-authenticate"]
                else:
                    assert answer.status_code not in (401, 403), (method, path)
        assert {scope for _, _, needed in OPERATIONS for scope in needed} == SCOPES.keys()


async def test_the_websocket_of_events_wants_the_same(tmp_path):
    async with rest(tmp_path) as client:
        cases = [({}, 401), (bearer(WRONG), 401), (await client.key("calls:write"), 403), (bearer(client.secret), 404)]
        for headers, status in cases:
            with pytest.raises(InvalidStatus) as refused:
                await client.websocket(f"/v1/calls/{CALL}/events", additional_headers=headers)
            assert refused.value.response.status_code == status
            assert refused.value.response.headers["content-type"] == MEDIA_TYPE
        with pytest.raises(InvalidStatus) as refused:
            await client.websocket(f"/v1/calls/{CALL}/events?after=x", additional_headers=bearer(client.secret))
        assert refused.value.response.status_code == 422


async def test_a_key_is_looked_at_before_the_body_is_read(tmp_path):
    async with rest(tmp_path) as client:
        for body in (b"{", b"\xff", b"x" * 1000):
            refused = await client.http.post("/v1/calls", content=body, headers={"Authorization": ""})
            assert problem(refused, 401) == "Unauthorized"


async def test_who_guesses_keys_is_slowed_down_and_does_not_lock_out_neighbours(tmp_path, monkeypatch):
    async with rest(tmp_path) as client:
        assert (await client.http.get("/v1/calls")).status_code == 200
        checked = 0

        async def checking(secret: str) -> None:
            nonlocal checked
            checked += 1

        many = range(guard.FAILED_AT_ONCE + 5)
        statuses = [(await client.http.get("/v1/calls", headers=bearer(WRONG))).status_code for _ in many]
        assert statuses == [401] * guard.FAILED_AT_ONCE + [429] * 5
        slowed = await client.http.get("/v1/calls", headers=bearer(WRONG))
        assert problem(slowed, 429) == "Too many requests"
        assert 0 < int(slowed.headers["retry-after"]) <= 60 / guard.FAILED_PER_MINUTE
        assert (await client.http.get("/v1/calls")).status_code == 200, "a key that was good here is still let through"

        monkeypatch.setattr(client.server.site.state.keys, "check", checking)
        await client.http.get("/v1/calls", headers=bearer(WRONG))
        assert checked == 0, "guesses do not reach the database"


async def test_a_key_may_ask_so_often(tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "KEY_AT_ONCE", 5)
    async with rest(tmp_path) as client:
        other = await client.key("calls:read")
        answers = [await client.http.get("/v1/calls", headers=other) for _ in range(6)]
        assert [each.status_code for each in answers] == [200] * 5 + [429]
        assert int(answers[-1].headers["retry-after"]) == 1
        assert (await client.http.get("/v1/calls")).status_code == 200


async def test_a_rate_is_an_average_and_what_it_remembers_is_bounded():
    rate = Rate(per_minute=600, burst=2)
    assert [rate.take("a"), rate.take("a")] == [0, 0]
    wait_s = rate.take("a")
    assert 0.05 < wait_s <= 0.1
    assert rate.take("b") == 0
    await asyncio.sleep(wait_s + 0.01)
    assert rate.take("a") == 0
    for number in range(MOST_NAMES + 10):
        rate.take(str(number))
    assert len(rate._empty_at) == MOST_NAMES


def test_one_customer_with_many_ipv6_addresses_is_one_client():
    assert network("2001:db8::1") == network("2001:db8::ffff:1") != network("2001:db8:0:1::1")
    assert network("::ffff:203.0.113.7") == network("203.0.113.7") == "203.0.113.7"
    assert network("") == ""


async def test_a_long_body_is_refused_whether_or_not_it_says_its_length(tmp_path):
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(MOST_BYTES // 1000 + 10):
            yield b"x" * 1000

    async with rest(tmp_path) as client:
        yaml, json = {"Content-Type": "application/yaml"}, {"Content-Type": "application/json"}
        for path, kind in (("/v1/agents/validate", yaml), ("/v1/calls", json)):
            declared = await client.http.post(path, content=b"x" * (MOST_BYTES + 1), headers=kind)
            assert problem(declared, 413) == "Content too large"
            assert problem(await client.http.post(path, content=pieces(), headers=kind), 413) == "Content too large"
        most = await client.http.post("/v1/agents/validate", content=b"#" * MOST_BYTES, headers=yaml)
        assert most.status_code == 200


async def test_long_headers_are_not_gathered(tmp_path):
    async with rest(tmp_path) as client:
        host, port = client.server.address.split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
        with suppress(ConnectionError):
            for number in range(1000):
                writer.write(b"X-%d: %s\r\n" % (number, b"x" * 1000))
                await writer.drain()
                await asyncio.sleep(0)
            raise AssertionError("a megabyte of headers was read")
        assert (await client.http.get("/livez")).status_code == 200
        writer.close()


async def test_whatever_is_wrong_is_a_problem(tmp_path):
    async with rest(tmp_path) as client:
        json = {"Content-Type": "application/json"}
        ask = client.http.request
        assert problem(await ask("GET", "/nowhere"), 404) == "Not found"
        assert problem(await ask("GET", "/v1/agents/ava/"), 404) == "Not found"
        wrong_way = await ask("PATCH", "/v1/agents/ava")
        assert problem(wrong_way, 405) == "Method not allowed"
        assert wrong_way.headers["allow"] == "DELETE, GET, PUT"
        assert problem(await ask("POST", "/v1/calls", content=b"{", headers=json), 400) == "Bad request"
        assert problem(await ask("POST", "/v1/calls", content=b'{"agent": "\xff"}', headers=json), 400) == "Bad request"
        assert problem(await ask("POST", "/v1/calls", content=b"[" * 90000, headers=json), 400) == "Bad request"
        assert problem(await ask("POST", "/v1/calls", content=b"{}"), 415) == "Unsupported media type"
        assert problem(await ask("PUT", "/v1/agents/x", content=b"{}"), 415) == "Unsupported media type"
        faults = await ask("POST", "/v1/calls", json={"agent": "ava", "caller": 1, "secret": "s3cret"})
        assert problem(faults, 422) == "Not valid"
        assert {each["where"] for each in faults.json()["errors"]} == {"body.caller", "body.secret"}
        assert "s3cret" not in faults.text, "what was sent is not said again"
        assert problem(await ask("GET", "/v1/calls?limit=0"), 422) == "Not valid"
        assert problem(await ask("GET", "/v1/calls?cursor=x"), 422) == "Not valid"
        assert problem(await ask("GET", "/v1/agents/ava/stream"), 426) == "Upgrade required"


async def test_a_database_that_is_away_is_no_secret_and_no_traceback(tmp_path, monkeypatch):
    async def away(*_: object) -> None:
        raise Unavailable("the server's state in SQLite cannot be reached.")

    async with rest(tmp_path) as client:
        monkeypatch.setattr(client.server.site.state.keys, "check", away)
        refused = await client.http.get("/v1/calls")
        assert problem(refused, 503) == "Unavailable"
        assert refused.headers["retry-after"] == "5"


async def test_what_breaks_inside_is_told_in_one_sentence():
    app = FastAPI()
    install(app)

    @app.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError("secret")

    @app.get("/wrong")
    async def wrong() -> None:
        raise BadInput("agents/ava.yaml:1:1 is wrong.")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as http:
        answer = await http.get("/broken")
        assert problem(answer, 500) == "Internal server error"
        assert "secret" not in answer.text
        assert problem(await http.get("/wrong"), 422) == "Not valid"


async def test_pages_of_other_origins_are_not_answered_unless_the_settings_name_them(tmp_path):
    ours, theirs = {"Origin": "https://app.example.com"}, {"Origin": "https://evil.example.com"}
    asks = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization, if-match"}
    async with rest(tmp_path / "closed") as client:
        assert "access-control-allow-origin" not in (await client.http.get("/v1/agents", headers=ours)).headers
        assert problem(await client.http.options("/v1/agents/ava", headers=ours | asks), 405) == "Method not allowed"
    async with rest(tmp_path / "open", origins=("https://app.example.com",)) as client:
        answer = await client.http.get("/v1/agents", headers=ours)
        assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
        assert "access-control-allow-credentials" not in answer.headers
        preflight = await client.http.options("/v1/agents/ava", headers=ours | asks)
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, ours["Origin"])
        refused = await client.http.options("/v1/agents/ava", headers=theirs | asks)
        assert problem(refused, 400) == "Bad request"
        assert "access-control-allow-origin" not in refused.headers
        assert "access-control-allow-origin" not in (await client.http.get("/v1/agents", headers=theirs)).headers


async def test_a_server_that_stops_is_alive_and_not_ready(tmp_path):
    async with rest(tmp_path) as client:
        client.server.site.admission.draining = True
        assert problem(await client.http.get("/readyz"), 503) == "Not ready"
        assert (await client.http.get("/livez")).status_code == 200
        refused = await client.http.post("/v1/calls", json={"agent": "ava"})
        assert problem(refused, 503) == "No room"
        assert refused.headers["retry-after"] == "30"
