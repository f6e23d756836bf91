from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.doubles.scripted_agent import MS_PER_WORD, ScriptedAgent
from voicebot import clock
from voicebot.errors import BadInput
from voicebot.personas.caller import Caller
from voicebot.personas.dice import Dice
from voicebot.personas.kinds import CallerKind, Improvised, Recording, Rules, Script
from voicebot.personas.mouth import SpeakingMouth
from voicebot.personas.persona import Persona
from voicebot.personas.scripted import Scripted
from voicebot.personas.temperament import Temperament

PETER = Path(__file__).parents[2] / "voicebot/templates/blank/personas/peter.yaml"
SATURDAY = date(2025, 11, 22)
GREETING = "Hello, this is the front desk. How can I help you?"


def script(*turns: dict[str, Any], **more: Any) -> Script:
    return Script.model_validate({"turns": turns, **more})


def talk(lines: list[str], followed: Script, *, stays: bool = True, **manners: Any) -> tuple[ScriptedAgent, Caller]:
    """A whole call in skipped time."""
    polite = Temperament.model_validate({"reaction_ms": (500, 500), "silence_ms": 5000} | manners)

    async def both() -> tuple[ScriptedAgent, Caller]:
        agent, dice = ScriptedAgent(lines, stays=stays), Dice(1)
        words = Scripted(followed, Persona.load(PETER), dice, SATURDAY)
        caller = Caller(words, SpeakingMouth(agent, agent.voice, dice), polite, dice)
        async with asyncio.TaskGroup() as group:
            group.create_task(caller.run())
            group.create_task(agent.run(caller.hear))
        return agent, caller

    return clock.run(both(), skip_idle=True)


def test_a_script_is_said_turn_by_turn_and_its_end_is_the_end_of_the_call() -> None:
    agent, caller = talk(
        [GREETING, "And your name?", "Thank you."], script({"say": "call me back please"}, {"say": "{name}, thanks"})
    )
    assert agent.words == ["call me back please", "Peter Miller, thanks"]
    assert agent.hung_up
    assert caller.words.content
    assert caller.words.lost == []


def test_a_turn_waits_until_it_has_heard_what_it_is_for() -> None:
    lines = [GREETING, "One moment.", "Which day?"]
    followed = script({"say": "hello"}, {"after": "which day", "say": "on thursday"})

    async def call() -> list[str]:
        agent, dice = ScriptedAgent(lines, stays=True), Dice(1)
        words = Scripted(followed, Persona.load(PETER), dice, SATURDAY)
        caller = Caller(words, SpeakingMouth(agent, agent.voice, dice), Temperament(), dice)
        async with asyncio.TaskGroup() as group:
            group.create_task(caller.run())
            group.create_task(agent.run(caller.hear))
            await asyncio.sleep(3 + 0.3 * 5 + 6)
            assert agent.words == ["hello"]
            await agent.add("Which day?")
            await asyncio.sleep(5)
            agent.hang_up()
        return agent.words

    assert clock.run(call(), skip_idle=True) == ["hello", "on thursday"]


def test_who_waits_in_vain_gives_up_and_says_what_for() -> None:
    followed = script({"after": "which day", "say": "on thursday"}, {"say": "bye"}, waits=1)
    agent, caller = talk([GREETING, "We are closed."], followed)
    assert agent.words == ["never mind, goodbye."]
    assert not caller.words.content
    assert caller.words.lost == [
        f"waited for /which day/ and heard: {GREETING}",
        "gave up with 2 turns of the script to go",
    ]


def test_an_agent_that_is_silent_is_spoken_to_and_then_left() -> None:
    agent, caller = talk([], script({"say": "hello"}))
    assert agent.words == ["hello?", "hello?", "never mind, goodbye."]
    assert caller.words.lost[:3] == ["silence"] * 3


@pytest.mark.parametrize(
    ("turn", "words_heard"),
    [
        ({"interrupt": {"after_words": 4}}, 4),
        ({"interrupt": True}, 3),
        ({"interrupt": True, "after": "front desk"}, 6),
        ({"interrupt": {"after_ms": 5 * MS_PER_WORD}}, 5),
    ],
)
def test_an_interruption_comes_at_its_word_or_at_its_time(turn: dict[str, Any], words_heard: int) -> None:
    agent, caller = talk([GREETING, "Oh."], script({"say": "call me back please", **turn}))
    began_s = agent.heard[0][0]
    assert words_heard * 0.3 <= began_s < words_heard * 0.3 + 0.35
    assert [sound.interrupts for sound in caller.mouth.sounds] == [True]
    assert caller.interruptions == 1


def test_a_silence_replaces_the_reaction_time() -> None:
    agent, _ = talk([GREETING, "Yes?"], script({"say": "well", "silence_ms": 4000}))
    assert agent.heard[0][0] - agent.line_times[0][1] == pytest.approx(4.0, abs=0.01)


def test_hanging_up_needs_no_words() -> None:
    agent, caller = talk([GREETING, "Which day?"], script({"say": "hello"}, {"hang_up": True}))
    assert agent.words == ["hello"]
    assert agent.hung_up
    assert caller.words.content


def test_the_facts_of_a_scripted_caller_are_those_of_its_role() -> None:
    _, caller = talk([GREETING], script({"say": "hello"}))
    assert caller.words.wants == {"name": "Peter Miller", "day": "2025-11-27"}


def test_a_place_without_a_fact_is_told_before_the_call() -> None:
    with pytest.raises(BadInput, match=r"turn 2 of the script says '\{dya\}'.*Did you mean 'day'"):
        talk([GREETING], script({"say": "hello"}, {"say": "on {dya}"}))


def test_a_caller_is_told_by_its_name_or_by_its_keys() -> None:
    read = TypeAdapter(CallerKind).validate_python
    assert read("rules") == Rules()
    assert isinstance(read({"turns": [{"say": "hi"}]}), Script)
    assert isinstance(read({"model": "openai/gpt-4.1-mini"}), Improvised)
    assert read({"call": "calls/1"}) == Recording(call=Path("calls/1"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"silence_ms": 300},
        {"say": "x", "interrupt": {"after_ms": 1, "after_words": 1}},
        {"say": "x", "interrupt": True, "silence_ms": 300},
        {"say": "x", "after": "(which"},
        {"sya": "x"},
    ],
)
def test_a_turn_that_cannot_be_meant_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        script(wrong)
