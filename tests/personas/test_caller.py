from __future__ import annotations

import asyncio
import random
from datetime import date
from pathlib import Path

from tests.doubles.scripted_agent import ScriptedAgent, TextVoice
from voicebot import clock
from voicebot.personas.caller import Caller
from voicebot.personas.persona import Backchannels, Persona

DENTAL = Path(__file__).parents[2] / "voicebot/templates/dental/personas"
SATURDAY = date(2025, 11, 22)
GREETING = "Bright Smile Dental, this is Ava. How can I help you?"


def talk(
    lines: list[str], persona: str | Persona = "maria", *, barge_in: bool = True, stays: bool = False, seed: int = 1
) -> tuple[ScriptedAgent, Caller]:
    """A whole call in skipped time: the agent's lines, and what the caller made of them."""
    who = Persona.load(DENTAL / f"{persona}.yaml") if isinstance(persona, str) else persona

    async def both() -> tuple[ScriptedAgent, Caller]:
        agent = ScriptedAgent(lines, barge_in=barge_in, stays=stays)
        caller = Caller(who, agent, TextVoice(), random.Random(seed), SATURDAY)
        async with asyncio.TaskGroup() as group:
            group.create_task(caller.run())
            group.create_task(agent.run(caller.hear))
        return agent, caller

    return clock.run(both(), skip_idle=True)


def with_manners(**manners: object) -> Persona:
    persona = Persona.load(DENTAL / "maria.yaml")
    plain = persona.temperament.model_copy(update={"digression": None, **manners})
    return persona.model_copy(update={"temperament": plain})


def test_a_caller_answers_after_its_reaction_time_and_hangs_up_at_goodbye() -> None:
    agent, _ = talk([GREETING, "Which day would suit you?", "Thank you for calling. Goodbye!"], with_manners())
    assert len(agent.heard) == 3
    for (_, line_ended), (began, _) in zip(agent.line_times, agent.heard, strict=True):
        assert 0.29 < began - line_ended < 0.9
    assert agent.hung_up


def test_an_interrupter_begins_before_the_sentence_has_ended() -> None:
    question = "Which day would suit you best for your visit with us?"
    agent, caller = talk([GREETING, question, "Thank you for calling. Goodbye!"], "interrupter")
    (line_began, line_ended), (began, said) = agent.line_times[1], agent.heard[1]
    assert "tuesday" in said
    assert caller.interruptions == 2
    assert 2 * 0.3 <= began - line_began < 4 * 0.3
    assert line_ended - began < 0.01


def test_a_patient_caller_never_interrupts() -> None:
    question = "Which day would suit you best for your visit with us?"
    agent, caller = talk([GREETING, question, "Thank you for calling. Goodbye!"], with_manners())
    assert caller.interruptions == 0
    assert all(began > ended for (began, _), (_, ended) in zip(agent.heard, agent.line_times, strict=True))


def test_an_interruption_the_agent_did_not_notice_is_said_again() -> None:
    question = "Which day would suit you best for your visit with us?"
    agent, caller = talk([question], "interrupter", barge_in=False, stays=True)
    assert caller.interruptions == 1
    assert 4.0 < agent.heard[1][0] - agent.line_times[0][1] < 6.0
    assert ["tuesday" in said for said in agent.words[:2]] == [True, True]


def test_a_backchannel_is_heard_while_the_agent_speaks_and_is_no_answer() -> None:
    line = "We are open Monday to Thursday from eight to five, and on Friday until two. Which day would suit you?"
    persona = with_manners(backchannels=Backchannels(chance=1.0, min_words=8))
    agent, caller = talk([line, "Goodbye!"], persona, barge_in=False)
    began, murmur = agent.heard[0]
    assert agent.line_times[0][0] < began < agent.line_times[0][1]
    assert murmur in ("uh-huh.", "mhm.")
    assert murmur not in caller.said
    assert "thursday" in caller.said[0]


def test_a_silent_agent_is_asked_whether_anybody_is_there_until_patience_ends() -> None:
    persona = with_manners(patience=2, silence_ms=5000)
    agent, caller = talk([], persona)
    assert [said.startswith("hello") for said in caller.said] == [True, True, False]
    assert agent.hung_up


def test_two_sentences_with_a_gap_are_answered_once() -> None:
    """What comes within the reaction time belongs to what was said before."""
    persona = with_manners(reaction_ms=(1000, 1000))

    async def call() -> list[str]:
        agent = ScriptedAgent(["Let me check."])
        caller = Caller(persona, agent, TextVoice(), random.Random(1), SATURDAY)
        async with asyncio.TaskGroup() as group:
            group.create_task(caller.run())
            group.create_task(agent.run(caller.hear))
            await asyncio.sleep(3 * 0.3 + 0.5)
            await agent.add("Which day would suit you?")
            await asyncio.sleep(20)
            agent.hang_up()
        return caller.said

    said = clock.run(call(), skip_idle=True)
    assert "thursday" in said[0]


def test_a_call_in_circles_is_ended() -> None:
    agent, caller = talk(["Which day would suit you?", "What time would you like?"] * 40, with_manners(patience=99))
    assert len(caller.said) == 40
    assert agent.hung_up


def test_no_task_outlives_the_call() -> None:
    async def leftovers() -> int:
        agent = ScriptedAgent([GREETING])
        caller = Caller(with_manners(), agent, TextVoice(), random.Random(1), SATURDAY)
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(caller.run())
            group.create_task(agent.run(caller.hear))
            await asyncio.sleep(3)
            agent.hang_up()
        return len(asyncio.all_tasks()) - 1

    assert clock.run(leftovers(), skip_idle=True) == 0


def test_an_objection_at_the_very_end_of_a_sentence_does_not_make_the_caller_deaf() -> None:
    wrong = "So that's a check-up on Friday at ten o'clock. Shall I book it?"
    right = "So that's a check-up on Tuesday at ten o'clock. Shall I book it?"
    agent, caller = talk([wrong, right, "Thank you. Goodbye!"], "interrupter", barge_in=False)
    assert caller.interruptions == 1
    assert [said.startswith("no") for said in agent.words[:2]] == [True, False]
