"""A model that fails in any of the ways real ones do costs the caller a moment, never the call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.doubles.openai_endpoint import Answer, OpenAIEndpoint, answer
from tests.doubles.project import a_call, llm_agent, outputs_of, words
from voicebot.brain import Failed, Output, Say
from voicebot.brain.apology import SENTENCES
from voicebot.brain.asking import GO_ON
from voicebot.brain.mind import open_brain
from voicebot.brain.session import GraphBrain
from voicebot.llm import LLM
from voicebot.llm.openai import connect

KEY = "sk-secret-0123456789"
GOOD = answer("We open at eight.")
SORRY = SENTENCES["en"]


@asynccontextmanager
async def a_call_to(
    root: Path, *servers: OpenAIEndpoint, silence_s: float = 5.0, patience: str = "30s"
) -> AsyncIterator[GraphBrain]:
    """A call whose models are these servers, the first asked first; that one may be silent for `silence_s`."""
    async with AsyncExitStack() as stack:
        for server in servers:
            await stack.enter_async_context(server)
        brain = open_brain(llm_agent(root, servers[0], greeting=None, brain={"patience": patience}), "call")
        assert isinstance(brain, GraphBrain)
        brain._connect = partial(_connect, servers, silence_s)
        yield brain
        await brain.close()


async def _connect(servers: tuple[OpenAIEndpoint, ...], silence_s: float) -> list[LLM]:
    limits = [silence_s, *(5.0 for _ in servers[1:])]
    return [
        await connect(f"m{number}", base_url=server.url, key=SecretStr(KEY), silence_s=limit)
        for number, (server, limit) in enumerate(zip(servers, limits, strict=True), 1)
    ]


def failures(outputs: list[Output]) -> list[Failed]:
    return [output for output in outputs if isinstance(output, Failed)]


def remedies(outputs: list[Output]) -> list[str]:
    return [failure.remedy for failure in failures(outputs)]


BAD = {
    "slow": (answer("Late.", first_s=5), "was silent for 0.3 s", False),
    "unauthorised": (answer(status=401, error=f"Incorrect API key provided: {KEY}"), "does not accept the key", False),
    "forbidden": (answer(status=403), "may not use openai/m1", False),
    "no such model": (answer(status=404), "has no model 'm1'", False),
    "bad request": (answer(status=400, error="bad tool"), "rejects the request: Error code: 400", False),
    "rate limited": (answer(status=429), "refuses more requests for now", True),
    "out of credit": (answer(status=429, error="insufficient_quota"), "refuses more requests for now", False),
    "server error": (answer(status=500), "failed: Error code: 500", True),
    "overloaded": (answer(status=503), "failed: Error code: 503", True),
    "cut off before the first word": (answer("Never said.", cut_after=0), "", True),
    "ended before the first word": (answer("Never said.", ends_after=0), "the answer broke off", True),
    "empty": (answer(""), "the answer was empty", True),
    "garbage": (answer(raw=b"data: {not json\n\n"), "gave an answer that cannot be read", True),
    "html": (answer(raw=b"<html>Please log in to the wifi</html>"), "", True),
    "nonsense": (answer(raw=b'data: {"choices": "none"}\n\n'), "gave an answer that cannot be read", True),
}


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # of the SDK, about the nonsense
@pytest.mark.parametrize(("bad", "said", "asked_again"), BAD.values(), ids=BAD.keys())
async def test_the_next_model_answers_and_the_caller_hears_only_it(
    tmp_path: Path, bad: Answer, said: str, asked_again: bool
):
    first, second = OpenAIEndpoint(bad), OpenAIEndpoint(GOOD)
    async with a_call_to(tmp_path, first, second, silence_s=0.3 if bad.first_s else 5.0) as brain:
        outputs = await outputs_of(brain, "when do you open")
        assert words(outputs) == "We open at eight."
        assert [m.text for m in await brain.messages()] == ["when do you open", "We open at eight."]
    assert len(first.requests) == (2 if asked_again else 1)
    assert remedies(outputs) == (["asked again"] if asked_again else []) + ["next: openai/m2"]
    assert all(failure.provider == "openai/m1" for failure in failures(outputs))
    assert said in failures(outputs)[0].error
    assert KEY not in repr(outputs)


async def test_an_answer_that_is_slow_and_steady_is_heard_to_the_end(tmp_path: Path):
    server = OpenAIEndpoint(answer("one two three four five six seven", token_s=0.15))
    async with a_call_to(tmp_path, server, silence_s=0.7) as brain:
        outputs = await outputs_of(brain, "count")
    assert words(outputs) == "one two three four five six seven"


async def test_a_passing_fault_is_over_at_the_second_attempt(tmp_path: Path):
    server = OpenAIEndpoint(answer(status=500), GOOD)
    async with a_call_to(tmp_path, server) as brain:
        outputs = await outputs_of(brain, "hello")
    assert words(outputs) == "We open at eight."
    assert remedies(outputs) == ["asked again"]


HOW_IT_BREAKS_OFF = [{"cut_after": 2}, {"ends_after": 2}, {"fails_after": 2}, {"hangs_after": 2}]


@pytest.mark.parametrize("how", HOW_IT_BREAKS_OFF, ids=str)
@pytest.mark.parametrize("rest", ["at eight.", "We open at eight.", "open at eight.", " at eight."])
async def test_the_next_model_goes_on_where_the_answer_broke_off(tmp_path: Path, how: dict[str, int], rest: str):
    # The first one is asked again, unless it hung.
    again = [] if "hangs_after" in how else [answer(status=500)]
    first, second = OpenAIEndpoint(answer("We open at nine.", **how), *again), OpenAIEndpoint(answer(rest))
    async with a_call_to(tmp_path, first, second, silence_s=1.0) as brain:
        outputs = await outputs_of(brain, "hello")
        assert words(outputs) == "We open at eight."
        assert [m.text for m in await brain.messages()][1:] == ["We open at eight."]
    assert remedies(outputs)[-1] == "next: openai/m2"
    partial, note = second.requests[0]["messages"][-2:]
    assert (partial["role"], partial["content"]) == ("assistant", "We open")
    assert (note["role"], note["content"]) == ("user", GO_ON)


async def test_a_model_that_broke_off_goes_on_itself_when_nobody_else_is_there(tmp_path: Path):
    server = OpenAIEndpoint(answer("We open at nine.", hangs_after=2), answer("at eight."))
    async with a_call_to(tmp_path, server, silence_s=0.3) as brain:
        assert words(await outputs_of(brain, "hello")) == "We open at eight."


async def test_words_that_nobody_can_go_on_with_end_in_an_apology(tmp_path: Path):
    first = OpenAIEndpoint(answer("We open at eight.", cut_after=2), answer(status=401))
    async with a_call_to(tmp_path, first, OpenAIEndpoint(answer(status=401))) as brain:
        outputs = await outputs_of(brain, "hello")
        assert words(outputs) == f"We open {SORRY}"
        assert [m.text for m in await brain.messages()][1:] == ["We open", SORRY]
    assert remedies(outputs) == ["asked again", "next: openai/m2", "apology"]


async def test_a_model_is_not_kept_waiting_for_while_another_can_be_asked(tmp_path: Path):
    first, second = OpenAIEndpoint(answer("Late.", first_s=60)), OpenAIEndpoint(answer("Soon.", first_s=1.0))
    async with a_call_to(tmp_path, first, second, patience="500ms") as brain:
        began = asyncio.get_running_loop().time()
        assert words(await outputs_of(brain, "hello")) == "Soon.", "the last one may take longer than that"
        assert 1.4 < asyncio.get_running_loop().time() - began < 2.5


async def test_a_model_that_failed_three_times_is_left_alone_and_then_probed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first, second = OpenAIEndpoint(answer(status=401)), OpenAIEndpoint(GOOD)
    async with a_call_to(tmp_path, first, second) as brain:
        for turn in range(5):
            outputs = await outputs_of(brain, f"hello {turn}")
            assert words(outputs) == "We open at eight."
        assert len(first.requests) == 3
        assert failures(outputs)[0].error == "not asked: it failed 3 times in a row."
        loop = asyncio.get_running_loop()
        later = loop.time() + 31
        monkeypatch.setattr(loop, "time", lambda: later)
        first.answers = [GOOD]
        assert words(await outputs_of(brain, "hello?")) == "We open at eight."
        assert len(first.requests) == 4
        assert not failures(await outputs_of(brain, "hello??"))
        assert len(first.requests) == 5


async def test_when_all_are_left_alone_the_best_is_asked_all_the_same(tmp_path: Path):
    server = OpenAIEndpoint(*[answer(status=401)] * 3, GOOD)
    async with a_call_to(tmp_path, server) as brain:
        for _ in range(3):
            assert words(await outputs_of(brain, "hello")) == SORRY
        outputs = await outputs_of(brain, "hello")
    assert words(outputs) == "We open at eight."
    assert remedies(outputs) == ["next: openai/m1"]


async def test_what_only_this_request_is_to_blame_for_does_not_shut_a_model_out(tmp_path: Path):
    server = OpenAIEndpoint(answer(status=400, error="bad tool"))
    async with a_call_to(tmp_path, server) as brain:
        for _ in range(5):
            await outputs_of(brain, "hello")
    assert len(server.requests) == 5


async def test_when_all_models_fail_the_agent_apologises_and_the_next_turn_works(tmp_path: Path):
    first, second = OpenAIEndpoint(answer(status=401), GOOD), OpenAIEndpoint(answer(status=401))
    async with a_call_to(tmp_path, first, second) as brain:
        outputs = await outputs_of(brain, "hello")
        assert words(outputs) == SORRY
        assert remedies(outputs) == ["next: openai/m2", "apology"]
        assert words(await outputs_of(brain, "hello?")) == "We open at eight."


async def test_a_server_that_is_not_there_is_named(tmp_path: Path):
    async with OpenAIEndpoint(GOOD) as gone:
        url = gone.url
    server = OpenAIEndpoint(GOOD)
    async with a_call_to(tmp_path, server) as brain:

        async def models() -> list[LLM]:
            return [await connect("m1", base_url=url), await connect("m2", base_url=server.url)]

        brain._connect = models
        outputs = await outputs_of(brain, "hello")
    assert words(outputs) == "We open at eight."
    assert failures(outputs)[0].error.startswith(f"{url[7:-3]} cannot be reached")


async def test_an_apology_is_in_the_agents_language(tmp_path: Path):
    async with OpenAIEndpoint(answer(status=401)) as server:
        agent = llm_agent(tmp_path, server, greeting=None, language="de-AT")
        async with a_call(agent) as brain:
            outputs = await outputs_of(brain, "hallo")
    assert words(outputs) == SENTENCES["de"]


async def test_a_bug_in_a_node_costs_one_apology(tmp_path: Path):
    server = OpenAIEndpoint(GOOD)
    async with a_call_to(tmp_path, server) as brain:
        real = brain._connect

        async def broken() -> list[LLM]:
            raise ZeroDivisionError("bug")

        brain._connect = broken
        outputs = await outputs_of(brain, "hello")
        assert [type(output) for output in outputs] == [Failed, Say]
        assert failures(outputs)[0].error == "ZeroDivisionError: bug"
        await brain.heard(SORRY, interrupted=False)
        brain._connect = real
        assert words(await outputs_of(brain, "hello?")) == "We open at eight."
        assert [m.text for m in await brain.messages()] == ["hello", SORRY, "hello?", "We open at eight."]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicebot.brain.asking.RETRY_S", 0.0)
