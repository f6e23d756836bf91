from __future__ import annotations

import pytest

pytest.importorskip("psutil", reason="psutil is not installed (extra 'server')")
pytest.importorskip("uvloop", reason="uvloop is not installed (extra 'server')")

from voicebot.commands import run


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--peer", "pipcat"], "Did you mean 'pipecat'?"),
        (["--agent", "ava"], "give its --url, too"),
        (["--url", "https://voice.example.com"], "--agent NAME"),
        (["--url", "voice.example.com", "--agent", "ava"], "is no web address"),
        (["--url", "https://voice.example.com", "--agent", "ava", "--save"], "leave --url away"),
        (["--url", "https://voice.example.com", "--agent", "ava"], "set TWILIO_AUTH_TOKEN"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_is(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TWILIO_AUTH_TOKEN", raising=False)
    assert run(["bench", "calls", *words]) == 2
    assert sentence in capsys.readouterr().err
