"""`voicebot voices` as a person uses it: list, try, clone, compare."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.doubles import sound_card
from tests.doubles.elevenlabs_server import ElevenLabsServer
from voicebot.commands import loudspeaker, run
from voicebot.evals.speech.callers import spoken


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ELEVENLABS_API_KEY", raising=False)
    return tmp_path


def command(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert run(["voices", *words]) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


class Card:
    """Stands in for the loudspeaker: keeps what is played. Its real part is tested with the sound card."""

    def __init__(self, wanted: str | None = None) -> None:
        type(self).played = []

    played: list[bytes] = []  # noqa: RUF012 - set anew by each loudspeaker

    def play(self, pcm: bytes, rate_hz: int) -> None:
        self.played.append(pcm)

    def finish(self) -> None: ...

    def stop(self) -> None: ...


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> type[Card]:
    monkeypatch.setattr(loudspeaker, "Loudspeaker", Card)
    monkeypatch.setattr("voicebot.commands.voices_compare.GAP_S", 0.0)
    return Card


def test_names_alone_are_those_of_voices_that_can_speak_here(capsys):
    out, err = command(capsys, "list", "--quiet", "--gender", "female")
    assert "espeak/en-us+f2" in out.splitlines()
    assert "espeak/en-us+m3" not in out
    assert "piper" not in out
    assert err == ""


def test_the_list_says_what_is_missing_and_who_is_left_out(capsys):
    out, err = command(capsys, "list", "--language", "en-us")
    (joe,) = [line for line in out.splitlines() if line.startswith("piper/en_US-joe-medium")]
    assert "voicebot models pull en_US-joe-medium" in joe
    assert "elevenlabs is left out: ELEVENLABS_API_KEY is not set" in err
    listed = json.loads(command(capsys, "list", "--language", "all", "--json")[0])
    assert len({voice["name"] for voice in listed}) == len(listed) > 250


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--provider", "piperr"], "Did you mean 'piper'"),
        (["--gender", "f"], "female or male"),
        (["--language", "xx"], "no voice speaks it"),
    ],
)
def test_a_filter_that_is_none_is_a_sentence(capsys, words, sentence):
    assert sentence in command(capsys, "list", *words, code=2)[1]


def test_a_voice_is_tried_into_a_file_in_its_own_language(capsys, folder):
    out, _ = command(capsys, "try", "espeak/de+f2", "--out", "a.wav", "--json")
    facts = json.loads(out)
    assert facts["text"].startswith("Guten Tag")
    assert facts["ttfa_ms"] > 0
    with wave.open(str(folder / "a.wav")) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(facts["seconds"], abs=0.01)


def test_a_voice_is_tried_on_the_loudspeaker(capsys, card):
    _, err = command(capsys, "try", "espeak/en-us+f2", "That is $5.")
    assert "first audio after" in err
    assert sum(map(len, card.played)) > 22050


@pytest.mark.parametrize(
    ("voice", "text", "sentence", "code"),
    [
        ("espek/en", "Hi", "Did you mean 'espeak'", 2),
        ("espeak/en-us+f99", "Hi", "no voice variant", 2),
        ("piper/en_US-joe-medium", "Hi", "voicebot models pull", 3),
        ("elevenlabs", "Hi", "ELEVENLABS_API_KEY is not set", 3),
        ("espeak/en-us", "...", "nothing in it", 2),
    ],
)
def test_a_voice_that_cannot_speak_is_a_sentence(capsys, voice, text, sentence, code):
    assert sentence in command(capsys, "try", voice, text, "--out", "a.wav", code=code)[1]


@pytest.fixture
def elevenlabs(monkeypatch: pytest.MonkeyPatch) -> Iterator[ElevenLabsServer]:
    """A loopback ElevenLabs on a loop of its own, since a command has its own, too."""
    pytest.importorskip("elevenlabs", reason='not installed: pip install "voicebot[cloud]"')
    monkeypatch.setenv("ELEVENLABS_API_KEY", "el-secret-key")
    server, started, done = ElevenLabsServer(), threading.Event(), threading.Event()

    async def serve() -> None:
        async with server.running():
            started.set()
            while not done.is_set():  # noqa: ASYNC110 - it is set by another thread
                await asyncio.sleep(0.02)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(10)
    monkeypatch.setattr("voicebot.tts.account.SERVER", server.address)
    yield server
    done.set()
    thread.join()


def test_the_voices_of_an_account_are_listed_with_their_price(capsys, elevenlabs):
    out, err = command(capsys, "list", "--provider", "elevenlabs")
    assert out.splitlines()[0].split("\t")[:6] == ["elevenlabs/flash-v2.5:rachel", "", "female", "0.05", "cloud", "yes"]
    assert "prices of 20" in err


def test_an_account_that_refuses_is_a_line_and_the_others_are_listed(capsys, elevenlabs):
    elevenlabs.fault = "401"
    out, err = command(capsys, "list")
    assert "espeak/en-us+f2" in out
    assert "elevenlabs is left out: ElevenLabs does not accept the key" in err
    assert "el-secret-key" not in out + err


def test_a_voice_is_cloned_and_named_for_the_agent_file(capsys, folder, elevenlabs):
    pcm = spoken("This is my own voice, and I read a few sentences for a machine. " * 3, "en-us+f2", 130, 16000)
    soundfile.write(folder / "a.wav", np.frombuffer(pcm, np.int16), 16000)
    (folder / "c.txt").write_text("I, Ava Lopez, agree to it. 23 November 2026")
    out, err = command(capsys, "clone", "ava", "a.wav", "--consent", "c.txt")
    assert out.strip() == f"elevenlabs/flash-v2.5:{'c' * 20}"
    assert "s of speech are few" in err
    assert "exists" in command(capsys, "clone", "ava", "a.wav", "--consent", "c.txt", code=2)[1]
    assert len(elevenlabs.made) == 1


def test_without_consent_nothing_is_cloned(capsys, folder):
    soundfile.write(folder / "a.wav", np.zeros(16000), 16000)
    assert "--consent" in command(capsys, "clone", "ava", "a.wav", code=2)[1]
    assert "cannot be read" in command(capsys, "clone", "ava", "a.wav", "--consent", "c.txt", code=2)[1]
    (folder / "c.txt").write_text("I, Ava Lopez, agree to it. 23 November 2026")
    assert "silence" in command(capsys, "clone", "ava", "a.wav", "--consent", "c.txt", code=2)[1]
    assert not (folder / "voices.yaml").exists()


def tones(folder: Path, names: list[str], hz: float, gain: float = 0.3) -> str:
    folder.mkdir()
    for name in names:
        soundfile.write(folder / name, gain * np.sin(np.arange(8000) * hz * 2 * np.pi / 16000), 16000)
    return str(folder)


def test_two_folders_are_compared_by_ear_and_votes_add_up(capsys, folder, card, monkeypatch):
    names = [f"{number}.wav" for number in range(8)]
    old, new = tones(folder / "old", names, 200), tones(folder / "new", names, 800, gain=0.05)

    def listens(who: str, answers: str) -> dict[str, object]:
        monkeypatch.setattr("sys.stdin", io.StringIO(answers))
        return dict(json.loads(command(capsys, "compare", old, new, "--listener", who, "--seed", "1", "--json")[0]))

    first = listens("kim", "1\nnonsense\nr\n2\n0\nq\n")
    assert (first["n"], first["ties"]) == (2, 1)
    second = listens("lee", "1\n" * 8)
    assert (second["n"], second["listeners"]) == (10, 2)
    votes = folder / "votes" / "new-vs-old.jsonl"
    assert len(votes.read_text().splitlines()) == 11
    again = json.loads(command(capsys, "compare", "--votes", str(votes), "--json")[0])
    assert again == second | {"votes": str(votes)}


def test_both_are_made_equally_loud_unless_told_not_to(capsys, folder, card, monkeypatch):
    old, new = tones(folder / "old", ["a.wav"], 200), tones(folder / "new", ["a.wav"], 800, gain=0.05)

    def levels(*more: str) -> list[float]:
        monkeypatch.setattr("sys.stdin", io.StringIO("1\n"))
        command(capsys, "compare", old, new, *more)
        return sorted(float(np.abs(np.frombuffer(pcm, np.int16)).max()) for pcm in card.played)

    quiet, loud = levels()
    assert loud == pytest.approx(quiet, rel=0.05)
    quiet, loud = levels("--as-is")
    assert loud == pytest.approx(6 * quiet, rel=0.05)


def test_voices_are_compared_elsewhere_and_the_answers_entered_later(capsys, folder):
    command(capsys, "compare", "espeak/en-us+f2", "espeak/en-us+m3", "--text", "Hello.", "--text", "Bye.", "--out", "o")
    assert sorted(path.name for path in (folder / "o").glob("*.wav")) == [
        "01-1.wav",
        "01-2.wav",
        "02-1.wav",
        "02-2.wav",
    ]
    sheet = folder / "o" / "answers.txt"
    sheet.write_text(sheet.read_text().replace("01: ", "01: 2"))
    out, _ = command(capsys, "compare", "--answers", str(sheet), "--listener", "kim")
    assert "too few votes to say" in out
    assert "1 listener" in out
    assert (
        "there is something in it"
        in command(capsys, "compare", "espeak/en-us+f2", "espeak/en-us+m3", "--text", "Hello.", "--out", "o", code=2)[1]
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "name A and B"),
        (["espeak/en"], "name A and B"),
        (["espeak/en", "espeak/en"], "Name two"),
        (["old", "absent"], "no such file or folder"),
        (["old", "other"], "x.wav is in only one of them"),
        (["--votes", "absent.jsonl"], "No such file"),
        (["--answers", "absent.txt"], "No such file"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(capsys, folder, words, sentence):
    tones(folder / "old", ["a.wav", "x.wav"], 200)
    tones(folder / "other", ["a.wav"], 200)
    assert sentence in command(capsys, "compare", *words, code=2)[1]


@pytest.mark.skipif(bool(sound_card.missing()), reason=sound_card.missing())
def test_a_voice_is_heard_on_a_real_sound_card(folder):
    short = Path(tempfile.mkdtemp(dir="/tmp"))  # a socket's path must be short
    words = ["voices", "try", "espeak/en-us+f2", "Hello, how are you today?", "--output", "pulse", "--json"]
    main = "import sys; from voicebot.commands import main; sys.argv[0] = 'voicebot'; main()"
    try:
        with sound_card.sound_card(short) as card, card.recording(folder / "heard.raw"):
            done = subprocess.run(
                [sys.executable, "-c", main, *words], env=card.environment, capture_output=True, text=True, timeout=60
            )
    finally:
        shutil.rmtree(short)
    assert done.returncode == 0, done.stderr
    heard = np.frombuffer((folder / "heard.raw").read_bytes(), np.int16)
    loud = np.flatnonzero(np.abs(heard) > 500)
    assert (loud[-1] - loud[0]) / sound_card.RATE_HZ == pytest.approx(json.loads(done.stdout)["seconds"], abs=0.5)
