"""A voice is made of good samples, with consent, and only once; the real SDK against a loopback ElevenLabs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

pytest.importorskip("elevenlabs", reason='not installed: pip install "voicebot[cloud]"')

from tests.doubles.elevenlabs_server import ElevenLabsServer
from voicebot.errors import BadInput, Unavailable
from voicebot.evals.speech.callers import spoken
from voicebot.tts import account, cloning

RATE_HZ = 16000
SECRET = "el-secret-key"
TEXT = "This is my own voice, and I read a few sentences, so that a machine can learn to speak as I do. " * 2


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ELEVENLABS_API_KEY", SECRET)
    (tmp_path / "consent.txt").write_text("I, Ava Lopez, agree that my voice is cloned. 23 November 2026\n")
    for index, rate_wpm in enumerate((120, 140)):
        pcm = spoken(TEXT, "en-us+f2", rate_wpm, RATE_HZ)
        soundfile.write(tmp_path / f"{index}.wav", np.frombuffer(pcm, np.int16), RATE_HZ)
    return tmp_path


def samples(project: Path) -> list[Path]:
    return [project / "0.wav", project / "1.wav"]


async def made(project: Path, server: ElevenLabsServer, name: str = "ava") -> cloning.Made:
    studio = account.Account(project, server.address)
    return await cloning.clone(name, samples(project), project / "consent.txt", project, studio)


async def test_a_voice_is_made_and_written_down_with_its_consent(project):
    async with ElevenLabsServer().running() as server:
        voice = await made(project, server)
    assert voice.clone.voice == f"elevenlabs/flash-v2.5:{'c' * 20}"
    ((name, sent),) = server.made
    assert name == "ava"
    assert sent == {path.name: path.read_bytes() for path in samples(project)}
    (entry,) = yaml.safe_load((project / "voices.yaml").read_text())
    assert entry["state"] == "made"
    assert entry["consent"]["sha256"] == hashlib.sha256((project / "consent.txt").read_bytes()).hexdigest()
    assert SECRET not in (project / "voices.yaml").read_text()


async def test_neither_the_same_name_nor_the_same_samples_are_sent_again(project):
    async with ElevenLabsServer().running() as server:
        await made(project, server)
        with pytest.raises(BadInput, match="the voice 'ava' exists: elevenlabs/flash"):
            await made(project, server)
        with pytest.raises(BadInput, match="these samples are the voice 'ava' already"):
            await made(project, server, "eva")
        (project / "voices.yaml").unlink()
        with pytest.raises(BadInput, match="ElevenLabs has a voice 'Rachel' already"):
            await made(project, server, "Rachel")
    assert len(server.made) == 1


async def test_a_voice_whose_answer_was_lost_is_found_and_not_made_twice(project):
    async with ElevenLabsServer("cut").running() as server:
        with pytest.raises(Unavailable, match="cannot be reached"):
            await made(project, server)
        assert cloning.read(project / "voices.yaml")[0].state == "sent"
        server.fault = ""
        again = await made(project, server)
    assert again.found
    assert again.clone.voice.endswith("c" * 20)
    assert len(server.made) == 1


async def test_an_attempt_of_unknown_outcome_is_not_repeated_by_itself(project):
    async with ElevenLabsServer().running() as server:
        studio = account.Account(project, server.address)
        studio.create = failing  # type: ignore[assignment,method-assign]  # the answer is lost, and the voice with it
        with pytest.raises(Unavailable):
            await cloning.clone("ava", samples(project), project / "consent.txt", project, studio)
        with pytest.raises(BadInput, match=r"'ava' was sent on .*take it out of .*voices.yaml"):
            await made(project, server)
    assert server.made == []


async def failing(*_: object) -> tuple[str, bool]:
    raise Unavailable("ElevenLabs refuses the request (500).")


@pytest.mark.parametrize(
    ("fault", "sentence"), [("401", "does not accept the key"), ("422", r"\(422\).*not today"), ("429", "429")]
)
async def test_a_refusal_is_a_sentence_and_leaves_nothing_behind(project, fault, sentence):
    async with ElevenLabsServer().running() as server:
        studio = account.Account(project, server.address)
        find = studio.find

        async def found(name: str) -> str:
            answer = await find(name)
            server.fault = fault
            return answer

        studio.find = found  # type: ignore[method-assign]  # refused only what makes a voice
        with pytest.raises(account.Refused, match=sentence) as refusal:
            await cloning.clone("ava", samples(project), project / "consent.txt", project, studio)
    assert SECRET not in str(refusal.value)
    assert cloning.read(project / "voices.yaml") == []
    assert len(server.keys) == 2, "a request that costs money is not repeated"


def recording(project: Path, sound: np.ndarray) -> Path:
    path = project / "bad.wav"
    soundfile.write(path, sound.astype(np.float32), RATE_HZ)
    return path


@pytest.mark.parametrize(
    ("gain", "seconds", "reason"),
    [(8.0, 12, "clipped"), (0.005, 12, "silence"), (0.08, 12, "too quiet"), (1.0, 0.5, "shorter"), (1.0, 4, "4.0 s")],
)
def test_bad_samples_are_refused_before_anything_is_sent(project, gain, seconds, reason):
    sound = np.frombuffer(spoken(TEXT, "en-us+f2", 120, RATE_HZ), np.int16) / 32768
    bad = recording(project, np.clip(sound[5000 : 5000 + int(seconds * RATE_HZ)] * gain, -1, 1))
    with pytest.raises(BadInput, match=reason):
        cloning.check([bad])


def test_samples_that_are_none_are_refused(project):
    (project / "text.wav").write_text("no sound")
    for path, reason in (
        ("text.wav", "no sound file"),
        ("absent.wav", "No such file"),
        (".", "directory|no sound file"),
    ):
        with pytest.raises(BadInput, match=reason):
            cloning.check([project / path])
    with pytest.raises(BadInput, match="twice"):
        cloning.check([project / "0.wav", project / "0.wav"])


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "says nothing"), (b" \n" * 40, "says nothing"), (b"\xff\xfe\x00", "no text")]
)
def test_a_consent_that_says_nothing_is_none(project, content, reason):
    (project / "consent.txt").write_bytes(content)
    with pytest.raises(BadInput, match=reason):
        cloning.read_consent(project / "consent.txt")
    with pytest.raises(BadInput, match="cannot be read"):
        cloning.read_consent(project / "absent.txt")
