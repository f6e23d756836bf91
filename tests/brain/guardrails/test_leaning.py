"""The learned score behind the rules: bounded, quick, quiet on innocent sentences."""

from __future__ import annotations

import time

import pytest

from voicebot.brain.guardrails.leaning import LONGEST, Rail, features, lean, threshold
from voicebot.brain.guardrails.reading import Reading
from voicebot.evals.bench.guarding import own

RAILS: tuple[Rail, ...] = ("injection", "toxicity")


@pytest.mark.parametrize("rail", RAILS)
def test_it_tells_attacks_from_innocent_sentences(rail):
    labelled = [each for each in own() if each.side == "caller" and each.language == "en"]
    attacks = [lean(Reading(each.text), rail) for each in labelled if getattr(each.expect, rail)]
    innocent = [
        lean(Reading(each.text), rail) for each in labelled if not each.expect.injection and not each.expect.toxicity
    ]
    strikes = sum(score >= threshold(rail) for score in innocent)
    assert strikes / len(innocent) < 0.01
    assert sum(score >= threshold(rail) for score in attacks) / len(attacks) > 0.6


@pytest.mark.parametrize("text", ["", "...", "\u200b", "7", "é" * 10])
def test_any_text_has_a_score(text):
    assert all(0 <= lean(Reading(text), rail) <= 1 for rail in RAILS)


def test_of_a_long_text_the_beginning_and_the_end_count():
    long = "one two three " * 50_000
    began = time.process_time()
    found = features(Reading(long[:20_000]))
    assert time.process_time() - began < 1
    assert 0 < found.size < 30 * LONGEST
    words = " ".join(f"w{number}" for number in range(2 * LONGEST))
    assert features(Reading(words)).size < features(Reading(words[: len(words) // 2])).size * 1.5
