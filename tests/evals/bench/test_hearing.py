"""Recognisers are measured on recordings and on speech that is made hard to understand."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicebot.commands import run
from voicebot.errors import BadInput
from voicebot.evals.bench import chart, conditions, hearing, recordings
from voicebot.evals.bench.conditions import CLEAN, CONDITIONS, Condition
from voicebot.evals.speech.callers import spoken
from voicebot.personas.persona import Voice
from voicebot.stt import Transcript

VOICE = Voice(engine="en-us+f2", rate_wpm=160)
TEXT = "please send it to Maria Lopez, code Z K three four"
RATE_HZ = 16000


class Parrot:
    """A recogniser that 'hears' what it is told to, whatever is said."""

    name = "parrot"

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.fed = 0

    async def load(self) -> None: ...

    def stream(self, rate_hz, on_interim):
        return self

    def start(self) -> None: ...

    def feed(self, pcm: bytes) -> None:
        self.fed += len(pcm)

    async def finish(self) -> Transcript:
        return Transcript(self.texts.pop(0))

    async def close(self) -> None: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text, rate_hz in (("a", "yes please", RATE_HZ), ("b", "no thank you", 8000), ("c", "yes please", 44100)):
        soundfile.write(
            tmp_path / f"{name}.wav", np.frombuffer(spoken(text, "en-us+f2", 150, rate_hz), np.int16), rate_hz
        )
        (tmp_path / f"{name}.txt").write_text(text + "\n")
    return tmp_path


async def test_a_score_has_words_and_entities(monkeypatch):
    monkeypatch.setattr(hearing, "CHUNK_S", 1.0)
    parrot = Parrot("please send it to maria lopes code zk34", "please send it to maria lopez code zk35")
    clips = [hearing.Clip(TEXT, bytes(16000), RATE_HZ, "a.wav")] * 2
    score = await hearing.listen_to("mine", parrot, clips)
    assert {kind: [each.heard for each in found] for kind, found in score.by_kind.items()} == {
        "name": [False, True],
        "code": [True, False],
    }
    assert score.pooled == pytest.approx(2 / 16)
    assert parrot.fed == 32000


def test_recordings_are_read_with_their_texts_whatever_their_rate(folder):
    clips = recordings.read(folder)
    assert [(clip.voice, clip.said, clip.rate_hz) for clip in clips] == [
        ("a.wav", "yes please", 16000),
        ("b.wav", "no thank you", 8000),
        ("c.wav", "yes please", 16000),
    ]
    assert len(clips[0].pcm) == pytest.approx(len(clips[2].pcm), rel=0.02)


def test_a_folder_that_will_not_do_is_a_sentence(folder, tmp_path):
    (folder / "b.txt").unlink()
    with pytest.raises(BadInput, match=r"b\.wav has no b\.txt beside it"):
        recordings.read(folder)
    with pytest.raises(BadInput, match="no such folder"):
        recordings.read(folder / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="no WAV file in it"):
        recordings.read(tmp_path / "empty")
    (folder / "a.wav").write_text("no sound")
    with pytest.raises(BadInput, match="not a sound file"):
        recordings.read(folder)


def test_pace_accent_and_telephone_change_the_sound():
    slow, fast = (Condition("", rate_wpm=rate).sound(TEXT, VOICE) for rate in (120, 250))
    assert len(slow) > 1.4 * len(fast)
    assert Condition("", accent="en-gb-scotland").engine(VOICE) == "en-gb-scotland+f2"
    assert len(conditions.TELEPHONE.sound(TEXT, VOICE)) == pytest.approx(len(CLEAN.sound(TEXT, VOICE)) / 2, rel=0.05)
    assert len({condition.what for condition in CONDITIONS}) == len(CONDITIONS)


def test_own_recordings_are_measured_and_drawn(folder, capsys):
    plot = folder / "p.svg"
    assert run(["bench", "stt", "--data", str(folder), "--stt", "sphinx", "--json", "--plot", str(plot)]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["stt"], row["n"], row["few"]) == ("sphinx", 3, True)
    assert row["targets"] == {"wer_pooled": 0.05, "final_p50_ms": 300.0}
    assert [each["said"] for each in row["heard"]] == ["yes please", "no thank you", "yes please"]
    assert ET.fromstring(plot.read_text()).tag.endswith("svg")


def test_a_recogniser_that_cannot_run_is_a_sentence(folder, capsys):
    for name, code in (("sphynx", 2), ("whisper/base.en", 3)):
        assert run(["bench", "stt", "--data", str(folder), "--stt", name]) == code
        assert capsys.readouterr().err.startswith("error: ")


def test_bars_are_green_below_the_target_and_labels_are_escaped():
    drawn = chart.svg("t", ["<a>", "b"], [chart.Panel("words", [0.01, 0.2], ["1 %", "20 %"], 0.05, "below 5 %")])
    texts = [each.text for each in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]
    assert "<a>" in texts
    bars = list(ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}rect"))[1:]
    assert [float(bar.get("width", "")) for bar in bars] == [25.0, 500.0]
    assert bars[0].get("fill") != bars[1].get("fill")
