"""A request written down in the agent file is a tool, and a hostile server cannot make more of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.web_service import Answer, WebService, endless, hang, hang_up, json, redirect, text
from voicebot.agent import HttpTool as Settings
from voicebot.brain.tools import Manner, Outcome, Tool
from voicebot.brain.tools.http import HttpTool
from voicebot.errors import BadInput

ORDER = {"order_id": "string"}


def tool(url: str, root: Path = Path(), manner: Manner | None = None, **settings: Any) -> Tool:
    return HttpTool.of(
        Settings(name="lookup", description="Look it up.", url=url, **settings),
        manner or Manner(timeout_s=2, idempotent=settings.get("method", "GET") == "GET"),
        root,
    )


async def outcome_of(
    *answers: Answer, path: str = "/orders/7", manner: Manner | None = None, **settings: Any
) -> Outcome:
    async with WebService(*answers).running() as service:
        return await tool(service.url + path, manner=manner, **settings).run({})


async def test_arguments_go_where_the_file_says():
    async with WebService(json({"state": "sent"})).running() as service:
        lookup = tool(
            service.url + "/orders/{order_id}?v=2",
            method="POST",
            query={"lang": "{language}", "page": 1},
            body={"note": "for {name}", "count": "{count}", "tags": ["{name}", "x"], "gone": "{left_out}"},
            parameters={
                "order_id": "integer",
                "language": {"type": "string", "default": "en"},
                "name": "string",
                "count": "integer",
                "left_out": {"type": "string", "required": False},
            },
            headers={"X-Shop": "7"},
        )
        outcome = await lookup.run({"order_id": 12, "name": "Ann Lee", "count": 3})
    assert (outcome.ok, outcome.result, outcome.attempts) == (True, {"state": "sent"}, 1)
    (asked,) = service.asked
    assert (asked["method"], asked["path"]) == ("POST", "/orders/12?v=2&lang=en&page=1")
    assert asked["body"] == {"note": "for Ann Lee", "count": 3, "tags": ["Ann Lee", "x"]}
    assert asked["headers"]["x-shop"] == "7"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "/orders/7?day=monday", None), ("POST", "/orders/7", {"day": "monday"})],
)
async def test_arguments_that_are_used_nowhere_go_along(method: str, path: str, body: Any):
    async with WebService(json(1)).running() as service:
        parameters = {"order_id": "integer", "day": "string"}
        lookup = tool(service.url + "/orders/{order_id}", method=method, parameters=parameters)
        await lookup.run({"order_id": 7, "day": "monday"})
    assert (service.asked[0]["path"], service.asked[0]["body"]) == (path, body)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({}, "'order_id' is a required property"),
        ({"order_id": 7}, "order_id: 7 is not of type 'string'"),
        ({"order_id": "7", "x": 1}, "Additional properties are not allowed ('x' was unexpected)"),
        ({"order_id": "../../admin"}, "order_id must be a plain word or number, without slashes"),
        ({"order_id": "..%2fadmin\\x"}, "order_id must be a plain word or number, without slashes"),
        ({"order_id": ".."}, "an argument in the address must not be '.' or '..'"),
        ({"order_id": ""}, "order_id must be a plain word or number, without slashes"),
        ({"order_id": "7\r\nX: y"}, "order_id must be a plain word or number, without slashes"),
    ],
)
async def test_wrong_arguments_never_leave_the_house(arguments: dict[str, Any], complaint: str):
    async with WebService(json(1)).running() as service:
        outcome = await tool(service.url + "/orders/{order_id}", parameters=ORDER).run(arguments)
    assert (outcome.ok, outcome.attempts) == (False, 0)
    assert complaint in outcome.result
    assert service.asked == []


@pytest.mark.parametrize("value", ["a?b=c", "a#b", "7@evil.example", "%2e%2e", "ü ö", "a;b", "a&b=c"])
async def test_an_argument_in_the_path_stays_in_its_segment(value: str):
    async with WebService(json(1)).running() as service:
        assert (await tool(service.url + "/orders/{order_id}/state", parameters=ORDER).run({"order_id": value})).ok
    before, _, after = service.asked[0]["path"].partition("/orders/")
    assert before == ""
    segment, _, rest = after.partition("/")
    assert rest == "state"
    assert set(segment) <= set("abcdefghijklmnopqrstuvwxyzABCDEF0123456789%.-")


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (json({"a": [1, 2]}), {"a": [1, 2]}),
        (text("on its way"), "on its way"),
        (text("", 204), "Done (204)."),
        (text('{"a": 1}'), {"a": 1}),
    ],
)
async def test_an_answer_is_json_or_text(answer: Answer, result: Any):
    outcome = await outcome_of(answer)
    assert (outcome.ok, outcome.result) == (True, result)


async def test_a_part_of_the_answer_is_enough():
    answer = json({"data": {"items": [{"name": "x"}, {"name": "y"}]}})
    assert (await outcome_of(answer, result="data.items.1.name")).result == "y"
    missing = await outcome_of(answer, result="data.items.2.name")
    assert (missing.ok, missing.result) == (False, "lookup failed: the answer has no 'data.items.2.name'")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (json({"error": {"message": "no such order"}}, 404), "lookup failed: 404: no such order"),
        (json({"detail": "closed on  Sunday"}, 422), "lookup failed: 422: closed on Sunday"),
        (text("<h1>Forbidden</h1>", 403, "text/html"), "lookup failed: 403"),
        (text("x" * 999, 400), f"lookup failed: 400: {'x' * 200}"),
    ],
)
async def test_a_refusal_is_a_result_and_not_asked_again(answer: Answer, said: str):
    outcome = await outcome_of(answer)
    assert (outcome.ok, outcome.result, outcome.attempts) == (False, said, 1)


async def test_a_server_in_trouble_is_asked_again_when_that_is_safe():
    outcome = await outcome_of(text("", 500), hang_up, json("fine"))
    assert (outcome.ok, outcome.result, outcome.attempts) == (True, "fine", 3)


async def test_what_changes_something_is_never_sent_twice():
    async with WebService(text("busy", 503), json("fine")).running() as service:
        outcome = await tool(service.url, method="POST", parameters=ORDER).run({"order_id": "7"})
    assert (outcome.ok, outcome.attempts) == (False, 1)
    assert outcome.result == "lookup failed: 127.0.0.1 answered 503: busy"
    assert len(service.asked) == 1


async def test_an_answer_that_does_not_come_leaves_time_for_another_attempt():
    outcome = await outcome_of(hang, json("fine"), manner=Manner(timeout_s=1, idempotent=True))
    assert (outcome.ok, outcome.attempts) == (True, 2)
    assert 500 <= outcome.duration_ms < 1000


async def test_all_attempts_together_stay_within_the_time_limit():
    outcome = await outcome_of(hang, manner=Manner(timeout_s=0.4, idempotent=True))
    assert (outcome.ok, outcome.result) == (False, "lookup gave no answer within 0.4 s; it may still take effect.")
    assert outcome.duration_ms < 600


async def test_nobody_there_is_said_without_the_address():
    outcome = await tool("http://127.0.0.1:1/secret-path").run({})
    assert (outcome.result, outcome.attempts) == ("lookup failed: 127.0.0.1 cannot be reached", 3)


async def test_a_redirect_within_the_same_place_is_followed():
    assert (await outcome_of(redirect("/elsewhere"), json("fine"))).result == "fine"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_host_is_not_followed(status: int):
    async with WebService(json("stolen")).running() as thief:
        outcome = await outcome_of(redirect(thief.url, status), headers={"Authorization": "Bearer x"})
    assert not outcome.ok
    assert "redirects to somewhere else" in outcome.result
    assert thief.asked == []


async def test_a_redirect_in_a_circle_ends():
    assert "redirects again and again" in (await outcome_of(redirect("/orders/7"))).result


async def test_a_long_answer_is_not_read_to_its_end():
    outcome = await outcome_of(endless)
    assert (outcome.ok, outcome.result) == (False, "lookup failed: the answer is longer than 64 kB")


async def test_a_packed_answer_is_not_unpacked():
    packed = text("x", headers={"Content-Encoding": "gzip"})
    assert "packed" in (await outcome_of(packed)).result


@pytest.mark.parametrize("broken", ['{"a": ', "[" * 60_000, "\x00"])
async def test_json_that_is_none_is_a_failure(broken: str):
    outcome = await outcome_of(text(broken, kind="application/json"))
    assert (outcome.ok, outcome.attempts) == (False, 3)
    assert outcome.result == "lookup failed: 127.0.0.1 answered with something that is not JSON"


async def test_settings_of_the_project_are_filled_in_and_never_come_back(tmp_path: Path):
    (tmp_path / ".env").write_text("SHOP_KEY=s3cret-value\n")
    echo = json({"error": "the key s3cret-value is wrong"}, 401)
    async with WebService(echo, json({"you_sent": "s3cret-value"})).running() as service:
        lookup = tool(service.url + "/x", tmp_path, headers={"Authorization": "Bearer ${SHOP_KEY}"})
        refused, answered = await lookup.run({}), await lookup.run({})
    assert service.asked[0]["headers"]["authorization"] == "Bearer s3cret-value"
    assert refused.result == "lookup failed: 401: the key ${SHOP_KEY} is wrong"
    assert answered.result == {"you_sent": "${SHOP_KEY}"}
    assert "s3cret" not in repr(lookup)


def test_a_setting_that_is_not_there_is_named_before_any_call(tmp_path: Path):
    with pytest.raises(BadInput, match=r"^SHOP_KEY is not set, and tool 'lookup' needs it\. Put it into \.env"):
        tool("https://shop.example.com", tmp_path, headers={"Authorization": "${SHOP_KEY}"})


@pytest.mark.parametrize("address", ["file:///etc/passwd", "shop.example.com", "http://"])
def test_an_address_from_a_setting_is_checked(tmp_path: Path, address: str):
    (tmp_path / ".env").write_text(f"SHOP_URL={address}\n")
    with pytest.raises(BadInput, match="does not begin with http"):
        tool("${SHOP_URL}/x", tmp_path)


async def test_connections_are_kept_and_cookies_are_not():
    async with WebService(json(1, headers={"Set-Cookie": "session=1"})).running() as service:
        lookup = tool(service.url)
        for _ in range(3):
            assert (await lookup.run({})).ok
    assert service.connections == 1
    assert "cookie" not in service.asked[-1]["headers"]


async def test_a_host_that_fails_again_and_again_is_left_alone_by_all_its_tools():
    once = Manner(timeout_s=1)
    async with WebService(text("", 500)).running() as service:
        one, other = tool(service.url + "/a", manner=once), tool(service.url + "/b", manner=once)
        for _ in range(3):
            await one.run({})
        outcome = await other.run({})
    assert (outcome.ok, outcome.attempts, outcome.duration_ms) == (False, 0, 0)
    assert "is left alone for a moment" in outcome.result
    assert len(service.asked) == 3


async def test_refusals_do_not_make_a_host_look_broken():
    async with WebService(json({}, 404)).running() as service:
        lookup = tool(service.url)
        for _ in range(5):
            await lookup.run({})
    assert len(service.asked) == 5


async def test_many_at_once_share_the_client():
    async with WebService(json(1)).running() as service:
        lookup = tool(service.url)
        outcomes = await asyncio.gather(*(lookup.run({}) for _ in range(50)))
    assert all(outcome.ok for outcome in outcomes)
