"""What the caller hears when something is refused, in the agent's language or in English."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

import yaml

from voicebot.agent.guardrails import Rail
from voicebot.brain.guardrails.ruling import Act, Hit


@lru_cache(maxsize=1)
def _sentences() -> dict[str, dict[str, str]]:
    text = (resources.files(__package__) / "refusals.yaml").read_bytes()
    found: dict[str, dict[str, str]] = yaml.load(text, yaml.CSafeLoader)
    return found


def wording(language: str) -> dict[str, str]:
    """The sentences of a language ("de"), English for one that is not known."""
    return _sentences().get(language, _sentences()["en"])


def refusal(action: Act, hit: Hit, language: str, own: Mapping[Rail, str]) -> str:
    """What is said for a hit; the agent file's own sentences go before ours, except to one who is in danger."""
    sentences = wording(language)
    if hit.kind == "self_harm":
        return sentences["self_harm"]
    if hit.rail in own:
        return own[hit.rail]
    return sentences["hand_over"] if action == "hand_over" else sentences[hit.rail]
