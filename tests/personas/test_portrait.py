"""A persona in words says what its settings say, and its settings can be written down and read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voicebot import yamlfile
from voicebot.personas import persona as personas
from voicebot.personas import portrait, sample, settings
from voicebot.personas.line import LINES, Line, Loss, Noise
from voicebot.personas.persona import Persona, Voice
from voicebot.personas.temperament import Temperament


def persona(**temperament: object) -> Persona:
    return Persona(name="Some One", temperament=Temperament.model_validate(temperament))


@pytest.mark.parametrize(
    ("temperament", "words"),
    [
        ({}, "plain"),
        ({"reaction_ms": (100, 300), "interrupts": {"at": "any"}}, "hurried, interrupts"),
        ({"reaction_ms": (1000, 2000), "silences": {}}, "slow to answer, long silences"),
        ({"patience": 0, "coughs": {}}, "coughs, gives up soon"),
    ],
)
def test_manners_in_a_few_words(temperament: dict[str, object], words: str) -> None:
    assert portrait.manner(persona(**temperament)) == words


def test_lines_and_voices_in_a_few_words() -> None:
    assert portrait.line(LINES["street"]) == "street"
    line = Line(rate_hz=8000, noise=Noise(kind="car", snr_db=7.5), loss=Loss(percent=3), muffled_hz=2000, gain_db=-6)
    assert portrait.line(line) == "8 kHz, car 7.5 dB, 3 % lost, muffled at 2000 Hz, 6 dB softer"
    assert portrait.voice(Voice(engine="en-us+f1", rate_wpm=120, loudness_db=3)) == "en-us+f1, 120 wpm, 3 dB louder"


def test_each_habit_becomes_a_sentence_with_its_figures() -> None:
    said = " ".join(
        portrait.sentences(
            persona(
                interrupts={"at": ["greets", "any"], "times": 2, "chance": 0.5},
                corrects={"within": "next_turn"},
                refuses_to_give={"fact": "name", "times": 2},
                digression={"at": "asks day", "ask": ["is it far?"]},
                wants_human={"after_answers": 1},
                hangs_up={"after_answers": 2},
                tics={"say": ["like"]},
                repeats={"chance": 1},
                backchannels={},
                coughs={"sounds": ["sneeze"]},
                side_speech={"say": ["not now."]},
                silences={"pause_ms": (1500, 2000)},
            )
        )
    )
    for words in (
        "Cuts the agent short at any question, up to 2 times, in 50% of occasions.",
        "Says something wrong first and corrects it one turn later.",
        "Refuses to give the name, twice.",
        "Asks 'is it far?' instead of answering at 'asks day'.",
        "Asks for a person after 1 answer.",
        "after 2 answers.",
        "Says 'like' without meaning, in 50% of utterances.",
        "Says the same twice in one breath, at all answers.",
        "Makes a sound (sneeze)",
        "Talks to somebody else ('not now.')",
        "Is silent for 1.5 to 2 s before the answer",
        "Gives up at misunderstanding number 5.",
    ):
        assert words in said


def test_the_whole_library_can_be_put_in_words_and_written_down(tmp_path: Path) -> None:
    for name in personas.library():
        found = personas.find(name, tmp_path)
        assert portrait.sentences(found)
        for text in (settings.text(found), settings.written(settings.differing(found))):
            again = Persona.read(yamlfile.parse(text, name))
            assert again.model_dump() == found.model_dump()


async def test_a_sample_is_the_voice_between_the_noise_of_its_line(tmp_path: Path) -> None:
    caller = personas.find("street", tmp_path)
    pcm = np.frombuffer(await sample.heard(caller, "hello, is anybody there?", seed=1), np.int16).astype(float)
    room, whole = pcm[:8000], pcm
    assert 2 < len(pcm) / caller.line.rate_hz < 6
    assert 20 < room.std() < whole.std() / 2


def test_one_s_own_matter_opens_the_sample() -> None:
    maria = personas.find("maria", Path("voicebot/templates/dental").absolute())
    assert sample.opening(maria, seed=1) == sample.opening(maria, seed=1)
    assert "{" not in sample.opening(maria, seed=2)
