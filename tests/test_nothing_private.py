"""The guardrails' test set, said in fifty calls: nothing private and no key is in anything that is written or sent."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
pytest.importorskip("prometheus_client")

from tests.doubles.otlp_collector import Collector
from voicebot.evals.bench import guarding
from voicebot.evals.bench.guarding import Sentence

CALLS = 50
SPOKEN = 4
"""Calls that go the whole way through the ear."""
KEY = "sk-planted-0123456789abcdefABCDEF"
SHORTEST = 6
"""Characters. '123' is in every log."""
DONE_S = 300


@dataclass
class Overheard:
    """What fifty calls left behind."""

    log: str
    records: str
    spans: str
    metrics: str
    lines: list[dict[str, Any]]
    sentences: list[Sentence]

    @property
    def everything(self) -> dict[str, str]:
        return {"log": self.log, "records": self.records, "spans": self.spans, "metrics": self.metrics}


def private_sentences() -> list[Sentence]:
    """Said by callers, and caught by the guardrails when they are said alone: whether they catch everything is
    measured by `voicebot bench guardrails`."""
    said = [each for each in guarding.own() if each.side == "caller" and each.expect.pii and each.spans]
    missed = {each.sentence.text for _, each in guarding.measure(said).missed}
    return [each for each in said if each.text not in missed]


def without_spans(sentence: Sentence) -> str:
    """What else is said: "twenty seven" is not private everywhere."""
    text = sentence.text
    for span in sentence.spans:
        text = text.replace(span, "")
    return text


def shared_out(sentences: list[Sentence]) -> list[dict[str, Any]]:
    """Fifty calls, each in one language."""
    calls: list[dict[str, Any]] = []
    by_language: dict[str, list[str]] = {}
    for each in sentences:
        by_language.setdefault(each.language, []).append(each.text)
    length = len(sentences) // CALLS
    for language, texts in by_language.items():
        calls += [{"language": language, "says": texts[at : at + length]} for at in range(0, len(texts), length)]
    return [{**call, "spoken": number < SPOKEN} for number, call in enumerate(calls)]


@pytest.fixture(scope="module")
def overheard(tmp_path_factory: pytest.TempPathFactory) -> Overheard:
    root = tmp_path_factory.mktemp("overheard")
    sentences = private_sentences()
    words = root / "words.json"
    words.write_text(json.dumps(shared_out(sentences)))
    with Collector() as collector:
        env = {
            **os.environ,
            "LOGURU_AUTOINIT": "0",
            "OPENAI_API_KEY": KEY,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true",
            "OTEL_BSP_MAX_QUEUE_SIZE": "100000",
        }
        command = [sys.executable, "-m", "tests.doubles.overheard", str(root), str(words)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=DONE_S)
        assert done.returncode == 0, done.stderr[-2000:]
        spans = "\n".join(collector.texts)
    records = [file.read_text() for file in sorted((root / "calls").glob("*/*")) if file.suffix != ".wav"]
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    return Overheard(done.stderr, "\n".join(records), spans, done.stdout, lines, sentences)


def test_all_of_them_were_held_and_everything_failed_aloud(overheard: Overheard) -> None:
    said = overheard.log + overheard.records
    for sign in ("the line broke", "nothing is known of", "cannot say", "cannot show", "looking for"):
        assert sign in said
    assert overheard.records.count('"type":"call_ended"') >= CALLS - 10
    assert "gen_ai.input.messages" in overheard.spans
    assert "voicebot_" in overheard.metrics


def test_nothing_private_is_in_any_of_it(overheard: Overheard) -> None:
    innocent = "\n".join(without_spans(each) for each in overheard.sentences)
    spans = {span for each in overheard.sentences for span in each.spans if len(span) >= SHORTEST}
    leaks = []
    for name, text in overheard.everything.items():
        folded = text.casefold()
        told = [span for span in spans if span not in innocent and span.casefold() in folded]
        leaks += [
            f"{name}: {span}" for span in told if re.search(rf"(?<!\w){re.escape(span.casefold())}(?!\w)", folded)
        ]
    assert leaks == []


def test_the_key_is_nowhere(overheard: Overheard) -> None:
    for name, text in overheard.everything.items():
        assert KEY not in text, name
        assert KEY[3:15] not in text, name


def test_each_line_of_a_call_has_its_call_and_turn(overheard: Overheard) -> None:
    of_tools = [line for line in overheard.lines if "looking for" in line["message"] or line["by"] == "of.a.library"]
    broken = [line for line in overheard.lines if line["message"] == "the call broke"]
    assert len(of_tools) > 10
    assert broken
    for line in [*of_tools, *broken]:
        assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{6}", line["call"]), line
    assert all(line["turn"] > 0 for line in of_tools)
    assert all(re.fullmatch("[0-9a-f]{32}", line["trace_id"]) for line in of_tools)
