"""What tokens cost: dated, with its sources, and honest about what it does not know."""

from __future__ import annotations

from importlib.resources import files

import pytest
import yaml

from voicebot import providers
from voicebot.llm.prices import FREE, Price, Tokens, price

TABLE = yaml.safe_load((files("voicebot.llm") / "prices.yaml").read_text())


def test_the_table_is_dated_and_says_where_it_is_from():
    assert TABLE["as_of"].year >= 2026
    assert all(page["source"].startswith("https://") for page in TABLE["providers"].values())
    known = providers.known("llm")
    assert {*TABLE["providers"], *TABLE["free"]} <= known | {"llama"}


def test_every_entry_is_a_price_and_cached_input_is_cheaper():
    for provider, page in TABLE["providers"].items():
        for model in page["models"]:
            found = price(f"{provider}/{model}")
            assert found is not None
            assert 0 < found.input < found.output < 1000
            assert found.cached is None or found.cached < found.input
            assert found.cache_write is None or found.cache_write > found.input


def test_the_kinds_of_tokens_cost_what_they_cost():
    cost = Price(2.0, 10.0, cached=0.5, cache_write=2.5).cost_usd(Tokens(1000, 100, cached=600, cache_written=100))
    assert cost == pytest.approx((300 * 2.0 + 600 * 0.5 + 100 * 2.5 + 100 * 10.0) / 1e6)


def test_tokens_without_a_price_of_their_own_cost_like_any_other():
    assert Price(2.0, 10.0).cost_usd(Tokens(1000, 0, cached=600, cache_written=100)) == pytest.approx(0.002)


def test_a_snapshot_costs_what_its_model_costs():
    assert price("openai/gpt-4.1-mini-2025-04-14") == price("openai/gpt-4.1-mini")
    assert price("anthropic/claude-haiku-4-5-20251001") == price("anthropic/claude-haiku-4-5")


def test_a_model_that_is_not_in_the_table_has_no_price():
    assert price("openai/gpt-99") is None
    assert price("openrouter/openai/gpt-4.1-mini") is None


def test_a_machine_of_your_own_sends_no_bill():
    assert price("llama/llama-3.1-8b-instruct") is FREE
    assert price("ollama/anything") is FREE
    assert FREE.cost_usd(Tokens(10_000, 10_000)) == 0.0


def test_a_prompt_longer_than_the_price_goes_has_none():
    haiku = price("anthropic/claude-haiku-5-5")
    assert haiku is not None
    assert haiku.cost_usd(Tokens(100_000, 1)) is not None
    assert haiku.cost_usd(Tokens(100_001, 1)) is None
