"""What is paid for: dated, with its sources, replaceable by a project, and honest about what it does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot import providers
from voicebot.errors import BadInput
from voicebot.money.prices import FREE, Price, SpeechPrice, Tokens, prices, shipped


def test_every_page_is_dated_says_where_it_is_from_and_names_providers_that_exist():
    table = shipped()
    assert {*table.llm, *table.free.llm} <= providers.known("llm")
    assert {*table.stt, *table.free.stt} <= providers.known("stt")
    assert {*table.tts, *table.free.tts} <= providers.known("tts")
    for page in [*table.llm.values(), *table.stt.values(), *table.tts.values(), *table.telephony.values()]:
        assert page.as_of.year >= 2026
        assert page.source.startswith("https://")


def test_every_model_has_a_price_and_cached_input_is_cheaper():
    for provider, page in shipped().llm.items():
        for model in page.models:
            found = prices().model(f"{provider}/{model}")
            assert found is not None
            assert 0 < found.input < found.output < 1000
            assert found.cached is None or found.cached < found.input
            assert found.cache_write is None or found.cache_write > found.input


def test_the_kinds_of_tokens_cost_what_they_cost():
    price = Price(input=2.0, output=10.0, cached=0.5, cache_write=2.5)
    cost = price.cost_usd(Tokens(1000, 100, cached=600, cache_written=100))
    assert cost == pytest.approx((300 * 2.0 + 600 * 0.5 + 100 * 2.5 + 100 * 10.0) / 1e6)


def test_tokens_without_a_price_of_their_own_cost_like_any_other():
    price = Price(input=2.0, output=10.0)
    assert price.cost_usd(Tokens(1000, 0, cached=600, cache_written=100)) == pytest.approx(0.002)


def test_a_snapshot_costs_what_its_model_costs():
    table = prices()
    assert table.model("openai/gpt-4.1-mini-2025-04-14") == table.model("openai/gpt-4.1-mini")
    assert table.model("anthropic/claude-haiku-4-5-20251001") == table.model("anthropic/claude-haiku-4-5")


def test_a_model_that_is_not_in_the_table_has_no_price():
    assert prices().model("openai/gpt-99") is None
    assert prices().model("openrouter/openai/gpt-4.1-mini") is None
    assert prices().speech("stt", "deepgram/nova-9") is None
    assert prices().speech("tts", "somebody/else") is None
    assert prices().line("link") is None


def test_a_machine_of_your_own_sends_no_bill():
    assert prices().model("llama/llama-3.1-8b-instruct") is FREE
    assert prices().model("ollama/anything") is FREE
    assert FREE.cost_usd(Tokens(10_000, 10_000)) == 0.0
    table = prices()
    speech = table.speech("stt", "sphinx"), table.speech("stt", "whisper/base.en"), table.speech("tts", "espeak/en-us")
    for price in speech:
        assert price is not None
        assert price.cost_usd(seconds=60, characters=1000) == 0.0


def test_a_prompt_longer_than_the_price_goes_has_none():
    haiku = prices().model("anthropic/claude-haiku-5-5")
    assert haiku is not None
    assert haiku.cost_usd(Tokens(100_000, 1)) is not None
    assert haiku.cost_usd(Tokens(100_001, 1)) is None


def test_speech_is_paid_by_the_minute_or_by_the_character():
    assert SpeechPrice(minute=0.006).cost_usd(seconds=90) == pytest.approx(0.009)
    assert SpeechPrice(thousand_characters=0.05).cost_usd(characters=300) == pytest.approx(0.015)
    rachel = prices().speech("tts", "elevenlabs/flash-v2.5:rachel")
    assert rachel is not None
    assert rachel.thousand_characters == 0.05


def test_a_minute_begun_on_the_telephone_is_a_minute_billed():
    line = prices().line("twilio")
    assert line is not None
    assert line.cost_usd(61) == pytest.approx(2 * line.minute)


OWN = """
free: {llm: [vllm]}
llm:
  openai: {as_of: 2026-12-01, models: {gpt-4.1-mini: {input: 1, output: 2}}}
stt:
  deepgram: {as_of: 2026-12-01, source: our contract, models: {"*": {minute: 0.003}}}
"""


def test_the_prices_of_a_project_go_before_those_that_ship(tmp_path: Path):
    (tmp_path / "prices.yaml").write_text(OWN)
    table = prices(tmp_path)
    assert table.model("openai/gpt-4.1-mini") == Price(input=1, output=2)
    assert table.model("openai/gpt-4.1") == prices().model("openai/gpt-4.1")
    assert table.speech("stt", "deepgram/nova-3") == SpeechPrice(minute=0.003)
    assert table.speech("stt", "deepgram/nova-9") == SpeechPrice(minute=0.003)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sst: {}", "1:1 unknown key 'sst'. Did you mean 'stt'?"),
        ("stt: {deepgram: {as_of: soon, models: {}}}", "as_of"),
        ("stt: {deepgram: {as_of: 2026-01-01, models: {nova-3: {minute: -1}}}}", "'minute'"),
        ("tts: {x: {as_of: 2026-01-01, models: {y: {minute: 1, thousand_characters: 1}}}}", "say either 'minute'"),
    ],
)
def test_a_file_of_prices_that_is_wrong_says_where(tmp_path: Path, text: str, said: str):
    (tmp_path / "prices.yaml").write_text(text)
    with pytest.raises(BadInput) as wrong:
        prices(tmp_path)
    assert said in str(wrong.value)
    assert "prices.yaml:1:" in str(wrong.value)
