"""Whole spoken calls with the local engines: faster-whisper hears, Piper speaks, on models that the tests make."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.doubles.spoken import speech
from tests.doubles.stubs import EchoBrain
from voicebot import clock, events, providers
from voicebot.agent import Agent
from voicebot.call import Call
from voicebot.errors import BadInput, MissingExtra, Unavailable
from voicebot.transports.link import Link

pytest.importorskip("faster_whisper", reason='local speech needs faster-whisper: pip install "voicebot[local]"')
pytest.importorskip("piper", reason='local speech needs piper-tts: pip install "voicebot[local]"')

from tests.doubles.tiny_piper import tiny_piper
from tests.doubles.tiny_whisper import tiny_whisper
from voicebot.stt import whisper
from voicebot.tts import piper

AGENT = """
name: Bright Smile Dental
greeting: Bright Smile Dental, this is Ava.
voice: {stt: whisper/./models/ear, tts: 'piper/voices/tones.onnx'}
brain: {llm: openai/gpt-4.1-mini, prompt: You are a test.}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    tiny_whisper(root / "models" / "ear")
    tiny_piper(root / "voices")
    return root


@pytest.fixture(autouse=True)
def _no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBOT_MODELS", str(tmp_path / "models"))


async def conversation(agent: Agent, brain: EchoBrain) -> list[events.Event]:
    """The caller waits for the greeting, asks, hears the answer, hangs up."""
    link, happened = Link("tester"), list[events.Event]()
    stt, tts = whisper.connect(agent, "./models/ear"), piper.connect(agent, "voices/tones.onnx")
    call = Call(agent, link, stt=stt, tts=tts, brain=brain)
    call.subscribe(happened.append)

    async def caller() -> None:
        try:
            await silenced(happened, 1)
            await asyncio.sleep(0.5)
            await link.speak(await speech("I would like to book a cleaning on Tuesday morning."))
            await silenced(happened, 2)
        finally:
            link.hang_up()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(caller())
        await call.run()
    return happened


async def silenced(happened: list[events.Event], times: int) -> None:
    async with asyncio.timeout(60):
        while sum(isinstance(event, events.AgentSpeechStopped) for event in happened) < times:  # noqa: ASYNC110 - in call time
            await asyncio.sleep(0.01)


def test_a_call_is_heard_by_whisper_and_answered_by_piper(root: Path) -> None:
    brain = EchoBrain(["Which day would suit you? We are open until five."], greeting="Bright Smile Dental.")
    happened = clock.run(conversation(Agent.parse(AGENT, root), brain), skip_idle=True)
    assert not [event for event in happened if isinstance(event, events.ProviderFailed)]
    (turn,) = brain.turns
    assert turn.startswith("i would like")
    said = [event.heard for event in happened if isinstance(event, events.AgentSpeechStopped)]
    assert said == ["Bright Smile Dental.", "Which day would suit you? We are open until five."]
    (final,) = [event for event in happened if isinstance(event, events.TranscriptFinal)]
    assert final.confidence is not None
    assert [event for event in happened if isinstance(event, events.TranscriptInterim)]


def test_two_calls_at_once_share_the_engines(root: Path) -> None:
    agent = Agent.parse(AGENT, root)
    brains = [EchoBrain(["Which day?"], greeting="Hello."), EchoBrain(["What time?"], greeting="Hello.")]

    async def both() -> None:
        await asyncio.gather(*(conversation(agent, brain) for brain in brains))

    clock.run(both(), skip_idle=True)
    assert all(turn.startswith("i would like") for brain in brains for turn in brain.turns)
    assert [brain.memory[-1] for brain in brains] == [("Which day?", False), ("What time?", False)]


# -- what runs when nothing, or the wrong thing, is on disk ------------------------------------------------------------


def test_without_models_auto_is_what_it_was(root: Path) -> None:
    assert providers.choose("stt", ["auto"], root).name == "sphinx"
    assert providers.choose("tts", ["auto"], root).name == "espeak"


def test_a_pulled_model_is_what_auto_takes(root: Path, tmp_path: Path) -> None:
    tiny_whisper(tmp_path / "models" / "tiny.en")
    (tmp_path / "models" / "tiny.en" / "vocabulary.txt").touch()
    voice = tiny_piper(tmp_path / "models" / "en_GB-alba-medium" / "en/en_GB/alba/medium", "en_GB-alba-medium")
    assert providers.choose("stt", ["auto"], root).name == "whisper/tiny.en"
    assert providers.choose("tts", ["auto"], root).name == "piper/en_GB-alba-medium"
    assert voice.is_file()


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        ("stt", "whisper/small.en", r"^small\.en is not on disk: voicebot models pull small\.en\.$"),
        ("tts", "piper/en_US-lessac-medium:1", r"^en_US-lessac-medium is not on disk: voicebot models pull"),
        ("stt", "whisper/./models/nose", r"^there is no folder .*models/nose with a Whisper model\.$"),
        ("tts", "piper/voices/nobody.onnx", r"^there is no .*voices/nobody\.onnx\.$"),
    ],
)
def test_what_is_not_on_disk_is_one_sentence_with_what_to_do(
    root: Path, kind: providers.Kind, name: str, sentence: str
) -> None:
    with pytest.raises(Unavailable, match=sentence):
        providers.choose(kind, [name], root)


def test_an_unknown_model_is_answered_with_the_nearest(root: Path) -> None:
    with pytest.raises(BadInput, match=r"unknown model 'smal\.en'\. Did you mean 'small\.en'\?"):
        providers.choose("stt", ["whisper/smal.en"], root)


@pytest.mark.parametrize(("kind", "name"), [("stt", "whisper"), ("tts", "piper")])
def test_without_the_extra_it_says_how_to_install_it(
    root: Path, kind: providers.Kind, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "_is_missing", lambda provider: provider.extra == "local")
    with pytest.raises(MissingExtra, match=rf'{name} is not installed\. .*pip install "voicebot\[local\]"'):
        providers.choose(kind, [name], root)
    assert (name, 'pip install "voicebot[local]" is missing') in providers.choose(kind, ["auto"], root).skipped
