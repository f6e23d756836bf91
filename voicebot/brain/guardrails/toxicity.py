"""Threats, insults, hate and sexual harassment; and callers who speak of harming themselves."""

from __future__ import annotations

from voicebot.brain.guardrails import leaning, rules
from voicebot.brain.guardrails.reading import Reading
from voicebot.brain.guardrails.rules import Words
from voicebot.brain.guardrails.ruling import Hit

SELF_HARM = "self_harm"


def find(reading: Reading, side: str) -> list[Hit]:
    """One hit a kind. Swearing that is not aimed at anybody is none."""
    matches = rules.load("toxicity").match(Words(reading), side)
    best = {match.kind: match for match in sorted(matches, key=lambda each: each.score)}
    hits = [
        Hit("toxicity", match.kind, match.start, match.end, match.score)
        for match in best.values()
        if match.score >= rules.THRESHOLD
    ]
    if not hits and side == "caller" and (lean := leaning.lean(reading, "toxicity")) >= leaning.threshold("toxicity"):
        hits.append(Hit("toxicity", "leaning", 0, len(reading.raw), round(lean, 2)))
    return hits
