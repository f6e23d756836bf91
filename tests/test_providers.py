"""The registry: what can run here and now, why, and what to do when nothing can."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from tests.doubles.project import project
from voicebot import providers
from voicebot.errors import BadInput, MissingExtra, Unavailable
from voicebot.providers import Provider

FLOW = {"goals": {"hi": {"title": "say hello", "examples": ["hello"]}}}
CLOUD = Provider("stt", "cloud", "A cloud", "nowhere", package="nonsense_package", extra="cloud", key="CLOUD_KEY")


def these(monkeypatch: pytest.MonkeyPatch, *more: Provider) -> None:
    """The built-in providers, and before them `more`."""
    monkeypatch.setattr(providers, "providers", lambda: (*more, *providers.BUILT_IN))


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("CLOUD_KEY", raising=False)
    providers.providers.cache_clear()
    yield
    monkeypatch.undo()
    providers.providers.cache_clear()


def test_reading_the_registry_imports_no_provider():
    code = (
        "import sys; from voicebot import providers; providers.known('stt'); providers.known('llm')\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "print(loaded & {'langchain_openai', 'openai', 'langgraph', 'pocketsphinx', 'pipecat', 'onnxruntime', 'numpy'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_auto_takes_the_best_that_can_run_and_says_what_it_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    these(monkeypatch, CLOUD)
    choice = providers.choose("stt", ["auto"], tmp_path)
    assert choice.name == "sphinx"
    assert choice.why == "the first that can run here"
    assert choice.skipped[0] == ("cloud", 'pip install "voicebot[cloud]" is missing')


def test_a_key_makes_a_provider_available(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    these(monkeypatch, replace(CLOUD, package=""))
    assert providers.choose("stt", ["auto"], tmp_path).skipped[0] == ("cloud", "CLOUD_KEY is not set")
    (tmp_path / ".env").write_text("CLOUD_KEY=abc\n")
    choice = providers.choose("stt", ["auto"], tmp_path)
    assert (choice.name, choice.why, choice.skipped) == ("cloud", "the best that can run here", ())


def test_the_first_named_runs_and_the_rest_are_fallbacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    these(monkeypatch, replace(CLOUD, package="", key=""))
    choices = providers.runnable("stt", ["cloud/big:rachel", "auto"], tmp_path)
    assert [choice.name for choice in choices] == ["cloud/big:rachel", "sphinx"]
    assert [choice.why for choice in choices] == ["named first", "if cloud/big:rachel fails"]
    assert choices[0].model == "big:rachel"


def test_a_missing_extra_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    these(monkeypatch, CLOUD)
    with pytest.raises(
        MissingExtra, match=r'cloud is not installed\. Install it with: pip install "voicebot\[cloud\]"'
    ):
        providers.choose("stt", ["cloud"], tmp_path)


def test_a_missing_key_says_where_to_put_it(tmp_path: Path):
    with pytest.raises(Unavailable, match=r"OPENAI_API_KEY is not set\. Put it into \.env"):
        providers.choose("llm", ["openai/gpt-4.1-mini"], tmp_path)


def test_a_server_of_ones_own_needs_no_key(tmp_path: Path):
    assert providers.choose("llm", ["openai/qwen3"], tmp_path, keyless="openai").model == "qwen3"


def test_when_none_can_run_all_reasons_are_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    these(monkeypatch, replace(CLOUD, kind="llm"))
    with pytest.raises(Unavailable) as error:
        providers.choose("llm", ["auto"], tmp_path)
    assert "cloud: pip install" in str(error.value)
    assert "openai: OPENAI_API_KEY is not set" in str(error.value)


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path):
    with pytest.raises(BadInput, match=r"unknown stt provider 'sphynx'\. Did you mean 'sphinx'\?"):
        providers.choose("stt", ["sphynx/en"], tmp_path)


def test_a_name_of_another_kind_is_unknown(tmp_path: Path):
    with pytest.raises(BadInput, match="unknown tts provider 'sphinx'"):
        providers.choose("tts", ["sphinx"], tmp_path)


def entry_points(monkeypatch: pytest.MonkeyPatch, *values: str) -> None:
    found = [EntryPoint(f"entry{number}", value, providers.GROUP) for number, value in enumerate(values)]
    monkeypatch.setattr(providers, "entry_points", lambda group: found)


EXTRA = Provider("tts", "extra", "From elsewhere", "elsewhere")
REPLACEMENT = Provider("tts", "espeak", "Another eSpeak", "elsewhere")
OURS = {"auto"} | {provider.name for provider in providers.BUILT_IN if provider.kind == "tts"}


def test_a_package_adds_a_provider_or_replaces_one(monkeypatch: pytest.MonkeyPatch):
    entry_points(monkeypatch, "tests.test_providers:EXTRA", "tests.test_providers:REPLACEMENT")
    assert providers.known("tts") - OURS == {"extra"}
    assert providers.find("tts", "espeak").what == "Another eSpeak"


def test_a_broken_package_costs_a_warning_and_nothing_else(monkeypatch: pytest.MonkeyPatch):
    entry_points(monkeypatch, "nonsense_package:X", "tests.test_providers:FLOW", "tests.test_providers:EXTRA")
    assert providers.known("tts") - OURS == {"extra"}


def test_ear_and_voice_are_opened_once_for_each_agent(tmp_path: Path):
    one, other = (
        project(tmp_path / name, {}, flow=FLOW, voice={"tts": f"espeak/{name}"}) for name in ("en-us", "en-gb")
    )
    assert providers.ttss(one)[0].open() is providers.ttss(one)[0].open()
    assert providers.ttss(one)[0].open() is not providers.ttss(other)[0].open()
    assert providers.stts(one)[0].open() is providers.stts(one)[0].open()
    assert providers.ttss(other)[0].open().name == "espeak/en-gb"
