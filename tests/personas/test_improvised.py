"""A caller played by a language model, against a server that speaks OpenAI's protocol and fails as real ones do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import voicebot
from tests.doubles.openai_endpoint import Answer, OpenAIEndpoint, answer
from voicebot import clock
from voicebot.errors import BadInput, Unavailable
from voicebot.personas.improvised import Improvisation
from voicebot.personas.kinds import Improvised
from voicebot.personas.run import SimulatedCall, play

TEMPLATES = Path(voicebot.__file__).parent / "templates"
BOOKING = ("call me back please", "peter miller", "on thursday", "yes", "no thank you")


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    root = tmp_path / "front-desk"
    shutil.copytree(TEMPLATES / "blank", root)
    return root / "agents/agent.yaml"


def call(agent: Path, *answers: Answer) -> tuple[SimulatedCall, OpenAIEndpoint]:
    """A typed call whose caller says what the server answers."""
    server = OpenAIEndpoint(*answers)

    async def talk() -> SimulatedCall:
        async with server:
            kind = Improvised(model="openai/double", base_url=server.url)
            return await play(agent, "peter", kind=kind, channel="text")

    return clock.run(talk(), skip_idle=True), server


def test_the_model_plays_the_persona_and_hears_only_what_was_said(blank: Path) -> None:
    done, server = call(blank, *(answer(text) for text in BOOKING))
    assert done.broke == ""
    assert done.said == BOOKING
    assert done.after["data/callbacks.json"][-1]["name"].casefold() == "peter miller"
    system, *conversation = server.requests[-1]["messages"]
    assert system["role"] == "system"
    assert all(known in system["content"] for known in ("Peter", "Be called back on Thursday", "Peter Miller"))
    assert "{" not in system["content"]
    assert [one["role"] for one in conversation] == ["user", "assistant"] * 4 + ["user"]
    assert conversation[0]["content"] == "Hello, this is the front desk. How can I help you?"
    assert conversation[1]["content"] == BOOKING[0]


def test_a_signal_ends_the_call_and_is_not_said(blank: Path) -> None:
    done, _ = call(blank, answer("that was all I wanted. [done]"))
    assert done.said == ("that was all I wanted.",)
    assert done.content
    assert done.ended is not None
    assert done.ended.reason == "caller_hung_up"


def test_giving_up_is_a_confusion_and_no_success(blank: Path) -> None:
    done, _ = call(blank, answer("what? [confused]"), answer("forget it. [give up]"))
    assert done.said == ("what?", "forget it.")
    assert not done.content
    assert [lost.partition(":")[0] for lost in done.lost] == ["makes no sense", "gave up"]
    assert [sound.confused for sound in done.sounds] == [True, False]


def test_who_listens_says_nothing_and_asks_when_nothing_comes(blank: Path) -> None:
    done, server = call(blank, answer("[listen]"), answer("hello? [done]"))
    assert done.said == ("hello?",)
    assert server.requests[-1]["messages"][-1]["content"] == "[Nothing was heard for a while.]"


def test_a_passing_fault_is_tried_once_more(blank: Path) -> None:
    done, server = call(blank, Answer(status=503, error="busy"), answer("bye. [done]"))
    assert (done.broke, done.said) == ("", ("bye.",))
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("wrong", "requests"), [(Answer(status=401), 1), (Answer(status=500), 2), (answer("hello there", ends_after=1), 2)]
)
def test_a_model_that_fails_breaks_the_simulation_and_not_the_agent(blank: Path, wrong: Answer, requests: int) -> None:
    done, server = call(blank, wrong)
    assert done.broke.startswith("the caller's model failed: ")
    assert "\n" not in done.broke
    assert done.said == ()
    assert len(server.requests) == requests


def test_an_unknown_model_stops_before_the_call(blank: Path) -> None:
    with pytest.raises(BadInput, match=r"unknown llm provider 'opnai'\. Did you mean 'openai'"):
        clock.run(play(blank, "peter", kind=Improvised(model="opnai/x"), channel="text"))


def test_a_model_never_cuts_in() -> None:
    assert Improvisation.cut_in_ms is None


def test_a_missing_key_stops_before_the_call(blank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(Unavailable, match="OPENAI_API_KEY is not set"):
        clock.run(play(blank, "peter", kind=Improvised(model="openai/gpt-4.1-mini"), channel="text"))
