"""Generated personas are valid, differ, and are the same for the same seed; a model's are checked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import voicebot
from tests.doubles.openai_endpoint import OpenAIEndpoint, answer
from voicebot import yamlfile
from voicebot.errors import BadInput, Unavailable
from voicebot.personas import generate, invented, model
from voicebot.personas import persona as personas
from voicebot.personas.persona import Persona
from voicebot.personas.temperament import Tics
from voicebot.personas.voice import CallerVoice

DENTAL = Path(voicebot.__file__).parent / "templates/dental"


def test_the_same_seed_gives_the_same_files_and_another_seed_others() -> None:
    first, again, other = (generate.drawn(10, seed) for seed in (7, 7, 8))
    assert [each.text for each in first] == [each.text for each in again]
    assert not {each.text for each in first} & {each.text for each in other}


def test_a_smaller_draw_is_the_beginning_of_a_larger_one() -> None:
    assert [each.text for each in generate.drawn(5, 3)] == [each.text for each in generate.drawn(9, 3)][:5]


def test_a_hundred_differ_and_can_all_play_a_role() -> None:
    drawn = generate.drawn(100, seed=1)
    assert len({each.stem for each in drawn}) == 100
    assert len({re.sub("^(name|about).*$", "", each.text, flags=re.MULTILINE) for each in drawn}) == 100
    maria = personas.find("maria", DENTAL)
    for each in drawn:
        persona = Persona.read(yamlfile.parse(each.text))
        assert persona.model_dump() == each.persona.model_dump()
        assert persona.playing(maria.role, DENTAL).understanding.facts
    habits = ("interrupts", "corrects", "refuses_to_give", "digression", "backchannels", "tics", "coughs",
              "side_speech", "silences", "repeats")  # fmt: skip
    for habit in habits:
        assert 3 < sum(getattr(each.persona.temperament, habit) is not None for each in drawn) < 60, habit


def test_the_space_is_used_up_to_its_end_and_no_further() -> None:
    assert len(generate.drawn(generate.MOST, 0)) == generate.MOST
    with pytest.raises(BadInput, match="at most 400"):
        generate.drawn(generate.MOST + 1)


async def test_every_voice_of_the_space_exists() -> None:
    for engine in {each.persona.voice.engine for each in generate.drawn(60, 0)}:
        await CallerVoice(personas.Voice(engine=engine), 16000).load()


# -- by a language model ---------------------------------------------------------------------------------------------

NERVOUS = {
    "about": "Nervous and quick.",
    "temperament": {"reaction_ms": [100, 300], "tics": {"say": ["um", "sorry"]}},
    "says": {"goodbye": ["okay, bye then."]},
}
GRUMPY = {"about": "Has waited too long already.", "temperament": {"patience": 1}}


async def asked(endpoint: OpenAIEndpoint, n: int = 2) -> list[generate.Drawn]:
    llm = await model.connected("openai/some-model", Path(), base_url=endpoint.url)
    return await invented.invented(llm, n, seed=4)


def says(*people: Any) -> Any:
    return answer(f"Here they are:\n```json\n{json.dumps(people)}\n```")


async def test_a_model_writes_manners_for_the_people_that_were_drawn() -> None:
    async with OpenAIEndpoint(says(NERVOUS, GRUMPY)) as endpoint:
        nervous, grumpy = await asked(endpoint)
    drawn = generate.casts(2, seed=4)
    assert [nervous.persona.name, grumpy.persona.name] == [each["name"] for each in drawn]
    assert nervous.persona.voice.engine == drawn[0]["voice"]["engine"]
    assert nervous.persona.temperament.tics == Tics(say=["um", "sorry"])
    assert nervous.persona.understanding.says["goodbye"] == ["okay, bye then."]
    assert grumpy.persona.temperament.patience == 1
    prompt = str(endpoint.requests[0]["messages"])
    assert drawn[1]["name"] in prompt
    assert "side_speech" in prompt


async def test_a_model_that_writes_nonsense_is_told_why_and_tries_once_more() -> None:
    wrong = NERVOUS | {"temperament": {"ticks": {"say": ["um"]}}}
    async with OpenAIEndpoint(says(wrong, GRUMPY), says(NERVOUS, GRUMPY)) as endpoint:
        assert len(await asked(endpoint)) == 2
        assert "unknown key 'ticks'" in endpoint.requests[1]["messages"][0]["content"]


@pytest.mark.parametrize(
    ("people", "why"),
    [
        ([NERVOUS], "expected a JSON list of 2 objects"),
        ([NERVOUS, NERVOUS], "two people have the same temperament"),
        ([NERVOUS, GRUMPY | {"line": "phone"}], "has the key 'line', which is not asked for"),
        (
            [NERVOUS, GRUMPY | {"says": {"opening": ["I want a refund"], "order": ["12345"]}}],
            "nothing to say at 'order'",
        ),
        ([NERVOUS, "grumpy"], "is no object"),
    ],
)
async def test_what_no_persona_file_may_hold_is_refused(people: list[Any], why: str) -> None:
    async with OpenAIEndpoint(says(*people)) as endpoint:
        with pytest.raises(BadInput, match=f"openai/some-model wrote no valid personas: .*{why}"):
            await asked(endpoint)
        assert len(endpoint.requests) == 2


async def test_a_model_that_is_not_there_is_one_sentence() -> None:
    async with OpenAIEndpoint(answer(status=401, error="bad key")) as endpoint:
        with pytest.raises(Unavailable, match="Without --llm no model is needed"):
            await asked(endpoint)
