from __future__ import annotations

import asyncio
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from tests.doubles.scripted_agent import ScriptedAgent
from voicebot import clock
from voicebot.personas.caller import LONGEST_S, Caller
from voicebot.personas.dice import Dice
from voicebot.personas.mind import Mind
from voicebot.personas.mouth import SpeakingMouth
from voicebot.personas.persona import Persona
from voicebot.personas.temperament import Backchannels, Coughs, Repeats, SideSpeech, Silences, Tics
from voicebot.personas.truth import Sound

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
        caller = calling(who, agent, seed)
        async with asyncio.TaskGroup() as group:
            group.create_task(caller.run())
            group.create_task(agent.run(caller.hear))
        return agent, caller

    return clock.run(both(), skip_idle=True)


def calling(persona: Persona, agent: ScriptedAgent, seed: int = 1) -> Caller:
    dice = Dice(seed)
    mouth = SpeakingMouth(agent, agent.voice, dice)
    return Caller(Mind(persona, dice, SATURDAY), mouth, persona.temperament, dice, ["uh-huh."])


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
        caller = calling(persona, agent)
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
        caller = calling(with_manners(), agent)
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


LONG = "We are open Monday to Thursday from eight to five, and on Friday until two. Which day would suit you?"


def sounds(caller: Caller, kind: str) -> list[Sound]:
    return [sound for sound in caller.mouth.sounds if sound.kind == kind]


def test_every_utterance_is_labelled_with_its_words_and_its_place_in_the_recording() -> None:
    agent, caller = talk([GREETING, "Which day would suit you?", "Goodbye!"], with_manners())
    assert [(sound.kind, sound.text) for sound in caller.mouth.sounds] == [("speech", said) for said in caller.said]
    for sound, (began_s, said) in zip(caller.mouth.sounds, agent.heard, strict=True):
        assert sound.starts_ms == pytest.approx(began_s * 1000, abs=1)
        assert sound.ends_ms - sound.starts_ms == pytest.approx(300 * len(said.split()), abs=1)
    assert not any(sound.interrupts for sound in caller.mouth.sounds)


def test_an_interruption_is_labelled_as_one() -> None:
    question = "Which day would suit you best for your visit with us?"
    _, caller = talk([question, "Thank you for calling. Goodbye!"], "interrupter")
    assert [sound.interrupts for sound in caller.mouth.sounds] == [True, False]


def test_a_murmur_is_a_sound_but_no_turn() -> None:
    persona = with_manners(backchannels=Backchannels(chance=1.0, min_words=8))
    _, caller = talk([LONG, "Goodbye!"], persona, barge_in=False)
    assert [sound.kind for sound in caller.mouth.sounds] == ["backchannel", "speech", "speech"]
    assert len(caller.said) == 2


def test_somebody_else_in_the_room_is_spoken_to_while_the_agent_speaks() -> None:
    persona = with_manners(side_speech=SideSpeech(chance=1.0, say=["put it on the table"]))
    agent, caller = talk([LONG, "Goodbye!"], persona, barge_in=False)
    aside = sounds(caller, "side_speech")[0]
    assert aside.text == "put it on the table"
    assert aside.starts_ms / 1000 < agent.line_times[0][1]
    assert "put it on the table" not in caller.said


def test_a_cough_is_heard_and_is_no_answer() -> None:
    persona = with_manners(coughs=Coughs(chance=1.0))
    _, caller = talk([GREETING, "Goodbye!"], persona, barge_in=False)
    assert {sound.kind for sound in caller.mouth.sounds} == {"cough", "speech"}
    assert len(caller.said) == 2
    assert all(150 < cough.ends_ms - cough.starts_ms < 1000 for cough in sounds(caller, "cough"))
    assert caller.words.lost == []


def test_sounds_of_one_caller_never_overlap() -> None:
    manners = {"coughs": Coughs(chance=0.7), "tics": Tics(chance=1.0), "backchannels": Backchannels(chance=1.0)}
    aside = SideSpeech(chance=0.5, say=["wait a moment", "I am on the telephone with the dentist"])
    persona = with_manners(**manners, side_speech=aside, silences=Silences(chance=0.5, where="either"))
    for seed in range(8):
        _, caller = talk([GREETING, LONG, LONG, "Goodbye!"], persona, barge_in=False, seed=seed)
        made = sorted(caller.mouth.sounds, key=lambda sound: sound.starts_ms)
        assert len(made) > 6
        assert all(one.ends_ms <= other.starts_ms for one, other in pairwise(made))


def test_a_tic_comes_before_the_words_and_is_told_apart_from_them() -> None:
    _, caller = talk([GREETING, "Goodbye!"], with_manners(tics=Tics(chance=1.0, say=["um"])))
    tic, said = caller.mouth.sounds[:2]
    assert (tic.kind, tic.text, said.kind) == ("tic", "um", "speech")
    assert 200 <= said.starts_ms - tic.ends_ms <= 450
    assert caller.said[0] == said.text


def test_who_says_everything_twice_does_so_in_one_breath() -> None:
    _, caller = talk(["Which day would suit you?", "Goodbye!"], with_manners(repeats=Repeats(chance=1.0)))
    (said,) = sounds(caller, "speech")[:1]
    assert said.text.count("thursday") == 2
    assert caller.said[0].count("thursday") == 1


@pytest.mark.parametrize(("where", "silent_before", "parts"), [("before", True, 1), ("within", False, 2)])
def test_time_to_think_is_taken_before_the_answer_or_in_the_middle_of_it(
    where: str, silent_before: bool, parts: int
) -> None:
    habit = Silences.model_validate({"chance": 1.0, "pause_ms": (3000, 3000), "where": where})
    agent, caller = talk([GREETING, "Goodbye!"], with_manners(silences=habit, reaction_ms=(300, 300)))
    first = caller.mouth.sounds[0]
    waited_s = first.starts_ms / 1000 - agent.line_times[0][1]
    assert waited_s == pytest.approx(3.3 if silent_before else 0.3, abs=0.01)
    answer = caller.mouth.sounds[:parts]
    assert " ".join(sound.text for sound in answer) == caller.said[0]
    assert all(b.starts_ms - a.ends_ms == pytest.approx(3000) for a, b in pairwise(answer))


def test_one_habit_more_does_not_change_what_the_others_do() -> None:
    lines = [GREETING, LONG, "What time would you like?", "Goodbye!"]
    plain = with_manners(tics=Tics(chance=0.5))
    murmuring = with_manners(tics=Tics(chance=0.5), backchannels=Backchannels(chance=0.9))
    for seed in range(6):
        (_, one), (_, other) = (talk(lines, who, seed=seed, barge_in=False) for who in (plain, murmuring))
        assert sounds(other, "backchannel")
        assert one.said == other.said
        assert [tic.text for tic in sounds(one, "tic")] == [tic.text for tic in sounds(other, "tic")]


def test_the_same_seed_makes_the_same_sounds_and_another_one_others() -> None:
    persona = with_manners(coughs=Coughs(chance=0.5), tics=Tics(chance=0.5))
    first, again, other = (talk([GREETING, LONG, "Goodbye!"], persona, seed=seed)[1] for seed in (3, 3, 4))
    assert first.mouth.sounds == again.mouth.sounds
    assert first.mouth.sounds != other.mouth.sounds


def test_a_call_without_an_end_is_left_after_ten_minutes() -> None:
    endless = " ".join(["We are open every day of the week."] * 300)
    agent, caller = talk([endless], with_manners(), barge_in=False)
    assert agent.hung_up
    assert agent.line_times == [] or agent.line_times[0][1] > LONGEST_S
    assert f"the call takes longer than {LONGEST_S:.0f} s" in caller.words.lost


def test_who_is_confused_says_so_and_is_counted() -> None:
    _, caller = talk(["The weather will be fine tomorrow.", "Goodbye!"], with_manners())
    assert [sound.confused for sound in caller.mouth.sounds] == [True, False]
    assert caller.words.lost == ["makes no sense: the weather will be fine tomorrow."]


def test_who_murmurs_and_is_taken_up_on_it_waits_for_what_is_made_of_it() -> None:
    persona = with_manners(backchannels=Backchannels(chance=1.0, min_words=8))
    agent, caller = talk([LONG], persona, stays=True)
    murmur, said = caller.mouth.sounds[:2]
    assert (murmur.kind, said.kind) == ("backchannel", "speech")
    stopped_s = agent.line_times[0][1]
    assert stopped_s == pytest.approx(murmur.starts_ms / 1000, abs=0.05)
    assert 4.0 < said.starts_ms / 1000 - stopped_s < 5.0


def test_a_cough_that_has_begun_is_heard_to_its_end_even_when_the_agent_begins_to_speak() -> None:
    persona = with_manners(coughs=Coughs(chance=1.0), reaction_ms=(300, 300))

    async def call() -> list[Sound]:
        agent = ScriptedAgent(["One moment."], barge_in=False)
        caller = calling(persona, agent)
        async with asyncio.TaskGroup() as group:
            group.create_task(caller.run())
            group.create_task(agent.run(caller.hear))
            await asyncio.sleep(2 * 0.3 + 0.3 + 0.1)
            await agent.add("Which day would suit you?")
            await asyncio.sleep(20)
            agent.hang_up()
        return sounds(caller, "cough")

    assert all(cough.ends_ms - cough.starts_ms > 200 for cough in clock.run(call(), skip_idle=True))
