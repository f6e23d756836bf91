"""Tiny models for the tests of the in-process engine, written once for each session."""

from __future__ import annotations

from pathlib import Path

import pytest

REPLIES = {
    '"outcome"': "Your soup is on its way.",
    "soup": '{"name": "order", "parameters": {"dish": "soup"}}',
    "cake": '{"name": "order", "parameters": {"dish": 5, "sugar": "much"}}',
    "check": 'Let me see. {"name": "order", "parameters": {"dish": "salad"}}',
    "invent": '{"name": "transfer_money", "parameters": {"to": "me"}}',
    "long": " ".join(f"word{number}" for number in range(400)),
    "brace": "A brace { is a sign.",
    "": "Hello there, how can I help you today?",
}
"""What the scripted model says to a message with one of these in it."""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says REPLIES."""
    from tests.doubles import tiny_llama

    return tiny_llama.scripted(tmp_path_factory.mktemp("models") / "tiny.gguf", REPLIES)


@pytest.fixture(scope="session")
def gibberish(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose every word depends on all before it."""
    from tests.doubles import tiny_llama

    return tiny_llama.random_weights(tmp_path_factory.mktemp("models") / "gibberish.gguf")


@pytest.fixture(scope="session")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a small context."""
    from tests.doubles import tiny_llama

    return tiny_llama.random_weights(tmp_path_factory.mktemp("models") / "narrow.gguf", context=1024)


@pytest.fixture(scope="session")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with many small layers: a computation of many short steps."""
    from tests.doubles import tiny_llama

    return tiny_llama.random_weights(tmp_path_factory.mktemp("models") / "deep.gguf", layers=96, width=64)
