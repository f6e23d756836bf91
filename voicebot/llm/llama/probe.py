"""How fast a model is on this machine: measured, since no table knows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from voicebot.llm.llama.native import DONE, Context, Part, Weights

PROMPT_TOKENS = 128
ANSWER_TOKENS = 16
CONVERSATION_TOKENS_S = 8.0
"""Speech is about four tokens a second; a first clause of eight tokens within a second leaves time to read the prompt
and to speak."""


@dataclass(frozen=True)
class Speed:
    load_ms: float
    prompt_tokens_s: float
    """Tokens of a prompt that are read in a second."""
    answer_tokens_s: float
    """Tokens of an answer that are written in a second."""

    @property
    def conversational(self) -> bool:
        """Fast enough to talk with."""
        return self.answer_tokens_s >= CONVERSATION_TOKENS_S


def probe(path: Path) -> Speed:
    """Load the model, read a short prompt and write a short answer. Raises BadInput, Unavailable as loading does."""
    began_s = time.perf_counter()
    weights = Weights(path)
    try:
        context = weights.context(1)
        try:
            load_s = time.perf_counter() - began_s
            step = context.step_tokens
            tokens = (weights.tokens("one two three four five ") * PROMPT_TOKENS)[:PROMPT_TOKENS]
            _computed(context, 0, tokens[:1])  # the first computation also reads the weights from the disk
            parts = [tokens[at : at + step] for at in range(1, PROMPT_TOKENS, step)]
            prompt_s = sum(_computed(context, 1 + at * step, part) for at, part in enumerate(parts))
            answer_s = sum(_computed(context, PROMPT_TOKENS + at, tokens[:1]) for at in range(ANSWER_TOKENS))
        finally:
            context.free()
    finally:
        weights.free()
    return Speed(load_s * 1000, (PROMPT_TOKENS - 1) / prompt_s, ANSWER_TOKENS / answer_s)


def _computed(context: Context, at: int, tokens: list[int]) -> float:
    began_s = time.perf_counter()
    state, _ = context.decode([Part(0, at, tokens, answer=True)])
    if state != DONE:
        raise RuntimeError(f"llama.cpp failed with {state}")
    return time.perf_counter() - began_s
