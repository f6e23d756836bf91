"""A language model on the rails of a flow: what it may do, and what the caller gets when it does not do it well."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.doubles.openai_endpoint import Answer, OpenAIEndpoint, answer
from tests.doubles.rails_call import last_words, rails_call
from voicebot.brain import Failed, HandOver, Moved, Say, Used
from voicebot.brain.flow.ask import ALONE, Interpreter
from voicebot.errors import Unavailable
from voicebot.flow import Flow

PLAIN = [
    "hi i'd like to book a cleaning", "next tuesday", "half past two", "maria lopez", "what do you need that for",
    "i'd rather not say", "how much is a cleaning", "yes please",
]  # fmt: skip


def understood(say: str | None = None, act: str = "tells", **claims: Any) -> Answer:
    arguments = {"act": act, **claims, **({"say": say} if say else {})}
    return answer("", ("understood", arguments))


async def test_turns_that_the_rules_understand_ask_no_model(tmp_path: Path) -> None:
    async with OpenAIEndpoint(answer("never")) as server, rails_call("dental", tmp_path, server) as call:
        for words in PLAIN:
            await call.say(words)
        assert server.requests == []
        assert [name for name, _ in call.deeds] == ["book"]
        assert len(call.kept("appointments.json")) == 1


async def test_free_phrasing_costs_one_request_and_fills_several_slots(tmp_path: Path) -> None:
    claims = understood(goal="book", slots={"treatment": "check-up", "day": "2026-11-26", "time": "15:30"})
    async with OpenAIEndpoint(claims) as server, rails_call("dental", tmp_path, server) as call:
        words = "so my boy chewed on a lego and thursday when school's out someone should peek at it, half three or so"
        reply = await call.say(words)
        assert reply == "May I have your name, please?"
        assert call.tools == ["find_day", "find_time"]
        (request,) = server.requests
        assert last_words(request) == words
        moved = [output for output in call.outputs if isinstance(output, Moved)]
        assert moved[-1].slots == {"treatment": "check-up", "day": "2026-11-26", "time": "15:30"}
        assert len([output for output in call.outputs if isinstance(output, Used)]) == 1


async def test_the_model_is_told_where_the_flow_is(tmp_path: Path) -> None:
    async with OpenAIEndpoint(understood(act="unclear")) as server, rails_call("dental", tmp_path, server) as call:
        await call.say("i'd like a cleaning")
        await call.say("phew let me look at my kids' plans")
        (request,) = server.requests
        system, note = request["messages"][0]["content"], request["messages"][-1]["content"]
        assert system.startswith("You are the agent of a small company.")
        assert 'The flow has asked: "Which day would suit you?"' in note
        assert "Known: treatment = cleaning." in note
        assert "Today is Sunday, 2026-11-22." in note
        assert [tool["function"]["name"] for tool in request["tools"]] == ["understood"]
        assert request["tool_choice"]["function"]["name"] == "understood"


async def test_what_is_sent_first_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    async with OpenAIEndpoint(understood(act="unclear")) as server, rails_call("dental", tmp_path, server) as call:
        for words in ("blub blub", "i'd like a cleaning", "blah blah", "tuesday"):
            await call.say(words)
        first, second = (json.dumps([each["tools"], each["messages"][0]]) for each in server.requests)
        assert first == second


async def test_a_question_in_the_middle_is_answered_and_the_step_goes_on(tmp_path: Path) -> None:
    beside = understood("Sure, well-behaved dogs may wait with you in the lobby.", "asks")
    async with OpenAIEndpoint(beside) as server, rails_call("dental", tmp_path, server) as call:
        await call.say("i'd like a cleaning")
        reply = await call.say("is it alright if i bring my dachshund")
        assert reply == "Sure, well-behaved dogs may wait with you in the lobby. Which day would suit you?"
        assert await call.say("next tuesday") == "What time would you like?"
        assert len(server.requests) == 1


async def test_a_remark_and_a_value_in_one_breath(tmp_path: Path) -> None:
    both = understood("Oh no, I hope he gets well soon.", slots={"day": "2026-11-24"})
    async with OpenAIEndpoint(both) as server, rails_call("dental", tmp_path, server) as call:
        await call.say("i'd like a cleaning")
        reply = await call.say("my hamster died so the day after the funeral which is monday")
        assert reply.startswith("Oh no, I hope he gets well soon.")
        assert reply.count("?") == 1


async def test_the_models_words_are_spoken_while_it_writes(tmp_path: Path) -> None:
    """The flow's sentence and the end of the answer come later than the model's first sentence."""
    endless = understood("Dogs may come. " + "They may bark as they like. " * 2, "asks")
    async with OpenAIEndpoint(endless) as server, rails_call("dental", tmp_path, server) as call:
        await call.say("i'd like a cleaning")
        outputs = [output async for output in call.brain.reply("is it alright if i bring my dachshund")]
        said = [output.text for output in outputs if isinstance(output, Say)]
        assert len(said) >= 3
        assert said[0].startswith("Dogs may come.")
        assert "".join(said).endswith(" Which day would suit you?")


# -- when it does not go well -----------------------------------------------------------------------------------------

MESSY = ["um yeah whatever i'd like a cleaning you know for my bad teeth", "well tuesday if my boss agrees",
         "lunchtime is bad so half past two", "maria lopez", "i'd rather not say", "yes please"]  # fmt: skip
BROKEN = [
    answer(status=500, error="boom"),
    answer(status=401, error="bad key"),
    answer(status=404, error="no such model"),
    answer(raw=b"<html>not a stream</html>"),
    answer("hello", cut_after=0),
    answer(""),
    answer('{"act": "yes", "slots": {"day": "2026-12-24"}}'),
    answer("```json\n{}\n```"),
    answer("", ("book", {"treatment": "filling"})),
    answer("", ("understood", '{"act": "yes", "slots": {"day"')),
    answer("", ("understood", "[]")),
    answer("", ("understood", "yes")),
]


@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
async def test_a_broken_model_changes_nothing_but_is_told(tmp_path: Path, broken: Answer) -> None:
    async with OpenAIEndpoint(broken) as server, rails_call("dental", tmp_path, server) as call:
        with_model = [await call.say(words) for words in MESSY]
        assert server.requests
        assert {failed.remedy for failed in call.failures} == {ALONE}
        deeds = call.deeds
    assert with_model == await alone(tmp_path / "alone", MESSY)
    assert [name for name, _ in deeds] == ["book"]


async def alone(root: Path, turns: list[str]) -> list[str]:
    """The same turns where no model is asked."""
    async with OpenAIEndpoint(understood(act="unclear")) as server, rails_call("dental", root, server) as call:
        return [await call.say(words) for words in turns]


async def test_a_model_that_hangs_costs_the_caller_its_patience_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with OpenAIEndpoint(answer("x", first_s=60)) as server, rails_call("dental", tmp_path, server) as call:
        monkeypatch.setattr(call.interpreter, "patience_s", 0.05)
        reply = await asyncio.wait_for(call.say("phew my teeth feel odd these days"), 5)
        assert reply.startswith("Sorry, I didn't get that.")
        (failed,) = call.failures
        assert "was silent for 0.05 s" in failed.error


async def test_models_that_cannot_be_opened_leave_the_flow_alone() -> None:
    async def closed() -> list[Any]:
        raise Unavailable("the file is gone")

    told: list[Any] = []
    interpreter = Interpreter(Flow.model_validate({"goals": {"x": {"title": "x", "examples": ["x"]}}}), 1.0)
    await interpreter.understand(cast(Any, SimpleNamespace(llms=closed)), [], told.append, told.append)
    assert told == [Failed("llm", "no model could be opened: the file is gone", ALONE)]


async def test_the_next_model_is_asked_when_one_fails(tmp_path: Path) -> None:
    answers = [answer(status=500), understood(goal="book", slots={"treatment": "filling"})]
    models = ["openai/one", "openai/two"]
    async with OpenAIEndpoint(*answers) as server, rails_call("dental", tmp_path, server, *models) as call:
        assert await call.say("something fell out of my mouth and i want somebody to glue it") == (
            "Which day would suit you?"
        )
        assert [(failed.provider, failed.remedy) for failed in call.failures] == [("openai/one", "next: openai/two")]


async def test_a_server_that_takes_no_orders_is_asked_without(tmp_path: Path) -> None:
    def stubborn(request: dict[str, Any]) -> Answer:
        if isinstance(request.get("tool_choice"), dict):
            return answer(status=400, error="tool_choice is not supported here")
        return understood(goal="cancel")

    async with OpenAIEndpoint(stubborn) as server, rails_call("dental", tmp_path, server) as call:
        assert await call.say("scratch me from the calendar") == "What name is the appointment under?"
        await call.say("is it under mine or my husband's who knows")
        assert [request["tool_choice"] for request in server.requests[1:]] == ["auto", "auto"]
        assert call.failures == []


async def test_words_of_a_server_without_tools_answer_beside_the_matter(tmp_path: Path) -> None:
    async with OpenAIEndpoint(answer("Dogs are welcome.")) as server, rails_call("dental", tmp_path, server) as call:
        await call.say("i'd like a cleaning")
        assert await call.say("may my dachshund come along") == "Dogs are welcome. Which day would suit you?"


# -- interruptions ----------------------------------------------------------------------------------------------------


async def test_an_interruption_in_the_models_words_leaves_the_step_as_it_was(tmp_path: Path) -> None:
    beside = understood("Dogs may come. They may bark.", "asks")
    async with OpenAIEndpoint(beside) as server, rails_call("dental", tmp_path, server) as call:
        await call.say("i'd like a cleaning")
        await call.say("is it alright if i bring my dachshund", heard="Dogs may")
        (*_, last) = await call.brain.messages()
        assert last.text == "Dogs may"
        assert await call.say("next tuesday") == "What time would you like?"


async def test_a_turn_whose_reply_was_cut_off_while_the_model_thought_is_not_lost(tmp_path: Path) -> None:
    def slow_then_quick(_request: dict[str, Any]) -> Answer:
        return answer("x", first_s=30) if len(server.requests) == 1 else understood(act="unclear")

    async with OpenAIEndpoint(slow_then_quick) as server, rails_call("dental", tmp_path, server) as call:
        await call.say("i'd like a cleaning")
        reply = call.brain.reply("gosh so tuesday i reckon")
        thinking = asyncio.ensure_future(anext(reply))
        await asyncio.sleep(0.1)
        assert len(server.requests) == 1
        thinking.cancel()
        await asyncio.gather(thinking, return_exceptions=True)
        await reply.aclose()
        await call.brain.heard("", interrupted=True)
        assert await call.say("at half past two") == "May I have your name, please?"


async def test_a_yes_to_a_read_back_cut_off_in_the_models_words_does_not_count(tmp_path: Path) -> None:
    beside = understood("Dogs may come.", "rather_not_say")
    async with OpenAIEndpoint(beside) as server, rails_call("dental", tmp_path, server) as call:
        for words in ("book a cleaning next tuesday at half past two for maria lopez",):
            await call.say(words)
        await call.say("nah you lot always sell those and can my dog come", heard="Dogs may come. That's fine. So")
        reply = await call.say("yes")
        assert call.deeds == []
        assert reply.endswith("Shall I book it?")
        await call.say("yes")
        assert len(call.deeds) == 1


async def test_a_person_takes_over_by_the_flows_rules(tmp_path: Path) -> None:
    async with OpenAIEndpoint(understood(act="wants_person")) as server, rails_call("dental", tmp_path, server) as call:
        assert await call.say("is susan around she knows me") == "Shall I put you through to a person?"
        await call.say("yes please")
        assert isinstance(call.outputs[-1], HandOver)


async def test_failures_name_the_model_and_never_its_key(tmp_path: Path) -> None:
    async with OpenAIEndpoint(answer(status=500)) as server, rails_call("dental", tmp_path, server) as call:
        await call.say("phew my teeth feel odd these days")
        assert call.failures == [Failed("openai/double", call.failures[0].error, ALONE)]


# -- wording: free, and a head start ----------------------------------------------------------------------------------

FREE = [
    ("i'd like a cleaning", answer("And when could you make it?"), "And when could you make it?"),
    ("next tuesday", answer("Okay {day}?"), "What time would you like?"),
    ("half past two", answer("Fine. Who may I put down? And why?"), "May I have your name, please?"),
    ("maria lopez", answer("Say yes now."), "And what number can we reach you on?"),
]  # fmt: skip


async def test_free_wording_rewords_plain_questions_and_nothing_else(tmp_path: Path) -> None:
    def model(_request: dict[str, Any]) -> Answer:
        return FREE[min(len(server.requests), len(FREE)) - 1][1]

    async with OpenAIEndpoint(model) as server, rails_call("dental", tmp_path, server, wording="free") as call:
        for words, _, said in FREE:
            assert await call.say(words) == said
        assert [failed.remedy for failed in call.failures] == [ALONE] * 3
        assert [request["tool_choice"] for request in server.requests] == ["none"] * len(FREE)
        reply = await call.say("i'd rather not say")
        assert reply.startswith("That's fine. So that's a cleaning on Tuesday the twenty-fourth of November")
        assert len(server.requests) == len(FREE)


async def test_what_was_asked_in_other_words_can_be_repeated(tmp_path: Path) -> None:
    worded = answer("And when could you make it?")
    async with OpenAIEndpoint(worded) as server, rails_call("dental", tmp_path, server, wording="free") as call:
        await call.say("i'd like a cleaning")
        assert await call.say("pardon") == "And when could you make it?"


async def test_what_was_asked_early_is_not_asked_again(tmp_path: Path) -> None:
    async with OpenAIEndpoint(understood(goal="cancel")) as server, rails_call("dental", tmp_path, server) as call:
        await call.brain.prepare("scratch me from the calendar")
        assert await call.say("scratch me from the calendar") == "What name is the appointment under?"
        for unfinished in ("anna wilson", "well i suppose on the", "it might be under the"):
            await call.brain.prepare(unfinished)
        await asyncio.sleep(0.05)
        assert len(server.requests) == 1
