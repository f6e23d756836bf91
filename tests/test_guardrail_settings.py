"""The `guardrails` of an agent file: short and long forms, and mistakes that say what is meant."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from voicebot.agent.guardrails import PII_KINDS, Guardrails, Topic


def test_nothing_runs_unless_it_is_named() -> None:
    rails = Guardrails()
    assert (rails.pii, rails.toxicity, rails.injection, rails.topics, rails.never_say, rails.judge) == (None,) * 6


def test_one_word_stands_for_every_side() -> None:
    rails = Guardrails.model_validate({"pii": "redact", "toxicity": "block", "injection": "flag"})
    assert rails.pii
    assert rails.toxicity
    assert rails.injection
    assert (rails.pii.caller, rails.pii.results, rails.pii.agent) == ("redact",) * 3
    assert rails.pii.kinds == list(PII_KINDS)
    assert (rails.toxicity.caller, rails.toxicity.self_harm) == ("block", "hand_over")
    assert rails.injection.results == "flag"


def test_off_is_off_as_yaml_reads_it() -> None:
    rails = Guardrails.model_validate({"toxicity": False, "pii": {"agent": False}})
    assert rails.toxicity is None
    assert rails.pii
    assert (rails.pii.agent, rails.pii.caller) == ("off", "redact")


def test_lists_and_texts_stand_for_mappings() -> None:
    rails = Guardrails.model_validate(
        {"topics": ["politics", {"name": "rivals", "words": "globex"}], "never_say": "never ever", "refusal": "No."}
    )
    assert rails.topics
    assert rails.never_say
    assert rails.topics.deny == ["politics", Topic(name="rivals", words=["globex"])]
    assert rails.never_say.texts == ["never ever"]
    assert set(rails.refusal.values()) == {"No."}
    assert len(rails.refusal) == 5


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"pii": "redakt"}, "'redakt' is no action. Did you mean 'redact'"),
        ({"pii": None}, "it says nothing"),
        ({"never_say": ["/(/"]}, "no regular expression"),
        ({"pii": {"kinds": ["cards"]}}, "kinds"),
        ({"toxicty": "block"}, "toxicty"),
        ({"judge": {"llm": "opnai/x"}}, "unknown provider"),
    ],
)
def test_a_mistake_is_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Guardrails.model_validate(wrong)
