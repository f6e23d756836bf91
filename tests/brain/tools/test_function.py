"""A Python function is a tool; whatever it does, the call goes on."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from voicebot.agent import Handoff
from voicebot.brain import HandOver, HangUp, PressKeys
from voicebot.brain.tools import Function, Manner, Toolbox, end_call, hand_over, press_keys
from voicebot.errors import BadInput


def book(day: date, people: Annotated[int, Field(ge=1, description="how many come")] = 1) -> dict[str, Any]:
    """Book a table."""
    return {"day": day, "people": people}


def tool(function: Any, **manner: Any) -> Function:
    return Function.of(function, f"tools.py:1 {function.__name__}", Manner(**manner))


def test_a_model_is_shown_name_docstring_and_signature():
    assert tool(book).schema() == {
        "type": "function",
        "function": {
            "name": "book",
            "description": "Book a table.",
            "parameters": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "day": {"type": "string", "format": "date"},
                    "people": {"type": "integer", "minimum": 1, "description": "how many come", "default": 1},
                },
                "required": ["day"],
            },
        },
    }


async def test_arguments_arrive_as_the_signature_says_and_the_result_as_json():
    outcome = await tool(book).run({"day": "2026-11-24", "people": "3"})
    assert outcome.ok
    assert outcome.result == {"day": "2026-11-24", "people": 3}
    assert outcome.content == '{"day":"2026-11-24","people":3}'


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({}, "day: Field required"),
        ({"day": "soon"}, "day: Input should be a valid date"),
        ({"day": "2026-11-24", "people": 0}, "people: Input should be greater than or equal to 1"),
        ({"day": "2026-11-24", "dya": 1}, "dya: Extra inputs are not permitted"),
    ],
)
async def test_wrong_arguments_are_explained_to_the_model_and_the_tool_does_not_run(
    arguments: dict[str, Any], complaint: str
):
    outcome = await tool(book).run(arguments)
    assert not outcome.ok
    assert outcome.result.startswith("book was not run: ")
    assert complaint in outcome.result


async def test_an_exception_becomes_a_sentence():
    def fail() -> None:
        """Fail."""
        raise KeyError("table 4")

    outcome = await tool(fail).run({})
    assert (outcome.ok, outcome.result) == (False, "fail failed: KeyError: 'table 4'")


async def test_a_plain_function_does_not_hold_up_the_event_loop():
    def slow() -> int:
        """Take a while."""
        time.sleep(0.05)  # this is what it must survive
        return threading.get_ident()

    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    ticking = asyncio.create_task(tick())
    outcome = await tool(slow).run({})
    ticking.cancel()
    assert outcome.result != threading.get_ident()
    assert ticks >= 4
    assert outcome.duration_ms >= 50


async def test_an_async_function_runs_on_the_event_loop():
    async def where() -> int:
        """Say where."""
        await asyncio.sleep(0)
        return threading.get_ident()

    assert (await tool(where).run({})).result == threading.get_ident()


async def test_a_tool_that_does_not_answer_is_given_up():
    async def hang() -> None:
        """Never answer."""
        await asyncio.sleep(60)

    outcome = await tool(hang, timeout_s=0.02).run({})
    assert (outcome.ok, outcome.result) == (False, "hang gave no answer within 0.02 s; it may still take effect.")


async def test_a_timeout_inside_a_tool_is_its_own_failure():
    def fail() -> None:
        """Fail."""
        raise TimeoutError("database")

    assert (await tool(fail).run({})).result == "fail failed: TimeoutError: database"


@dataclass
class Table:
    number: int
    price: Decimal


@pytest.mark.parametrize(
    ("value", "content"),
    [("as it is", "as it is"), (None, "null"), (Table(4, Decimal("2.5")), '{"number":4,"price":"2.5"}'), ({1}, "[1]")],
)
async def test_any_result_becomes_json(value: Any, content: str):
    def give() -> Any:
        """Give it."""
        return value

    assert (await tool(give).run({})).content == content


async def test_a_result_that_is_no_json_is_told_as_text():
    def give() -> Any:
        """Give it."""
        return {"lock": threading.Lock}

    assert "lock" in (await tool(give).run({})).content


def no_docstring(day: str) -> None: ...


def no_hint(day) -> None:
    """No hint."""


def starred(*days: str) -> None:
    """Starred."""


def unfillable(lock: threading.Thread) -> None:
    """A model cannot make one."""


def unknown(day: str) -> None:
    """A name that is not there."""


unknown.__annotations__["day"] = "Dya"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (no_docstring, "has no docstring"),
        (no_hint, "parameter 'day' has no type hint"),
        (starred, "parameter 'days' must be an ordinary one"),
        (unfillable, "a model cannot fill in these parameters"),
        (unknown, "a type hint names something unknown: name 'Dya' is not defined"),
    ],
)
def test_a_function_that_cannot_serve_is_refused_with_its_place(function: Any, said: str):
    with pytest.raises(BadInput, match=rf"tools\.py:7.*{said}"):
        Function.of(function, "tools.py:7 x")


def test_parameters_may_have_any_names():
    def save(json: str, copy: int, schema: Literal["a", "b"], _private: bool = False) -> None:
        """Names that a pydantic model could not have."""

    assert set(tool(save).schema()["function"]["parameters"]["properties"]) == {"json", "copy", "schema", "_private"}


async def test_a_tool_that_does_not_exist_is_answered_with_the_nearest():
    outcome = await Toolbox([tool(book)]).run("bok", {})
    assert (outcome.ok, outcome.result) == (False, "There is no tool 'bok'. Did you mean 'book'?")


async def test_the_built_in_tools_end_the_call_after_the_reply():
    box = Toolbox([end_call(), hand_over([Handoff(to="reception")])])
    assert (await box.run("end_call", {"reason": "done"})).act == HangUp("done")
    assert (await box.run("hand_over", {})).act == HandOver("reception", "")
    assert (await box.run("hand_over", {"to": "+12125550199", "reason": "price"})).act == HandOver("reception", "price")


async def test_nobody_is_handed_over_to_nobody():
    outcome = await Toolbox([hand_over()]).run("hand_over", {"reason": "angry"})
    assert not outcome.ok
    assert outcome.act is None


def test_hidden_tools_are_not_shown_to_a_model():
    assert [schema["function"]["name"] for schema in Toolbox([tool(book)], [end_call()]).schemas] == ["book"]


def test_two_tools_of_one_name_are_refused():
    with pytest.raises(BadInput, match="two tools are called 'book'"):
        Toolbox([tool(book), tool(book)])


async def test_of_several_to_hand_over_to_the_model_must_choose_one():
    box = Toolbox([hand_over([Handoff(to="sales", when="prices"), Handoff(to="the lab")])])
    about = box.schemas[0]["function"]
    assert about["parameters"]["properties"]["to"]["enum"] == ["sales", "the lab"]
    assert about["parameters"]["required"] == ["to"]
    assert about["description"].endswith("sales: prices\nthe lab")
    assert (await box.run("hand_over", {"to": "the lab"})).act == HandOver("the lab", "")
    refused = await box.run("hand_over", {"to": "labb"})
    assert not refused.ok
    assert "Did you mean" not in refused.result or "the lab" in refused.result


@pytest.mark.parametrize(
    ("keys", "ok"), [("12#", True), ("1w2*", True), ("12a", False), ("", False), ("1" * 33, False)]
)
async def test_only_keys_of_a_telephone_are_pressed(keys: str, ok: bool):
    outcome = await Toolbox([press_keys()]).run("press_keys", {"keys": keys})
    assert outcome.ok is ok
    assert outcome.act == (PressKeys(keys) if ok else None)


async def test_a_tool_that_ends_the_process_only_fails():
    def leave() -> None:
        """Leave."""
        raise SystemExit(3)

    assert (await tool(leave).run({})).result == "leave failed: RuntimeError: SystemExit: 3"


async def test_functions_that_hang_keep_no_thread_of_the_engine():
    held = threading.Event()

    def hang() -> None:
        """Hang."""
        held.wait(5)

    try:
        outcomes = await asyncio.gather(*(tool(hang, timeout_s=0.05).run({}) for _ in range(40)))
        assert not any(outcome.ok for outcome in outcomes)
        async with asyncio.timeout(1):
            assert await asyncio.get_running_loop().run_in_executor(None, lambda: 1) == 1
    finally:
        held.set()


async def test_a_model_passes_callers_on_to_no_number_that_the_agent_file_does_not_name():
    box = Toolbox([hand_over()])
    assert (await box.run("hand_over", {"to": "a colleague"})).act == HandOver("a colleague", "")
    for number in ("+12125550199", "555 0199", "sip:anyone@example.com"):
        refused = await box.run("hand_over", {"to": number})
        assert not refused.ok
        assert refused.act is None
