"""One answer in the making: from the tokens that are sampled to words and tool calls."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from voicebot.llm.llama.calls import CallPart, CallReader, Tools
from voicebot.llm.llama.native import Weights
from voicebot.llm.llama.sampling import Sampler
from voicebot.llm.llama.seats import Seat


@dataclass(frozen=True)
class Ask:
    """What is wanted of the engine."""

    prompt: Sequence[int]
    most_tokens: int
    """Of the answer; 0 only reads the prompt."""
    tools: Tools | None = None
    stop: tuple[str, ...] = ()
    """Words at which the answer ends."""
    temperature: float | None = None
    seed: int = 0


@dataclass(frozen=True)
class Words:
    text: str


@dataclass(frozen=True)
class Finished:
    """The answer is complete. Token counts are those of the prompt, of its part that was not computed again, and of
    the answer."""

    reason: Literal["stop", "tool_calls", "length"]
    prompt_tokens: int
    cached_tokens: int
    answer_tokens: int


Piece = Words | CallPart | Finished
Deliver = Callable[[Piece | Exception], None]
"""Called by the engine's thread."""


class Request:
    """An `Ask` as the engine works on it. Only `cancelled` is for other threads."""

    def __init__(self, ask: Ask, deliver: Deliver) -> None:
        self.ask = ask
        self.deliver = deliver
        self.cancelled = False
        self.tokens = list(ask.prompt)
        self.cached = 0
        self.answered = 0
        self.seat: Seat | None = None
        self.sampler: Sampler | None = None
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")
        openers = ask.tools.syntax.openers if ask.tools and ask.tools.allowed == "auto" else ()
        self._holding = _Holding((*openers, *ask.stop))
        self._call = CallReader(ask.tools.syntax) if ask.tools and ask.tools.allowed == "must" else None
        self._since = len(self.tokens)
        """The token in which the text that is held back begins."""

    def begin(self, weights: Weights) -> None:
        self.sampler = Sampler(weights, self.ask.temperature, self.ask.seed)
        tools = self.ask.tools
        if tools and tools.allowed != "auto" and tools.grammar:
            self.sampler.constrain(tools.grammar)

    def take(self, token: int | None, weights: Weights) -> bool:
        """Go on with `token` (None: nothing may follow). False when the answer is complete, and said so."""
        if token is None or weights.ends(token):
            return self._finish("stop")
        self.tokens.append(token)
        self.answered += 1
        text = self._bytes.decode(weights.piece(token))
        if self._call is not None:
            self._give(self._call.take(text))
        elif not self._speak(text):
            return False
        if self.answered >= self.ask.most_tokens:
            return self._finish("length")
        return True

    def _speak(self, text: str) -> bool:
        before = self._holding.held
        said, marker = self._holding.take(text)
        if said:
            self.deliver(Words(said))
        if said or not before:
            self._since = len(self.tokens) - 1
        if marker is None:
            return True
        if marker in self.ask.stop:
            return self._finish("stop")
        self._begin_call()
        return True

    def _begin_call(self) -> None:
        """The model has begun a call: take that back, and let the grammar write from there. Unless there is none."""
        tools, sampler = self.ask.tools, self.sampler
        assert tools is not None
        assert sampler is not None
        self._call = CallReader(tools.syntax)
        self._bytes.reset()
        if tools.grammar and sampler.constrain(tools.grammar):
            del self.tokens[self._since :]
        else:
            self._give(self._call.take(self._holding.held))
        self._holding.held = ""

    def _give(self, pieces: Iterator[CallPart]) -> None:
        for piece in pieces:
            self.deliver(piece)

    def _finish(self, reason: Literal["stop", "length"]) -> bool:
        if self._call is not None:
            self._give(self._call.close())
        elif self._holding.held:
            held = self._holding.held
            self.deliver(Words(next((held[: held.index(stop)] for stop in self.ask.stop if stop in held), held)))
        calls = self._call is not None and reason == "stop"
        self.deliver(Finished("tool_calls" if calls else reason, len(self.ask.prompt), self.cached, self.answered))
        return False

    def free(self) -> None:
        if self.sampler:
            self.sampler.free()
            self.sampler = None


class _Holding:
    """Text on its way out, held back while its end may be the beginning of a marker."""

    def __init__(self, markers: Sequence[str]) -> None:
        self._markers = markers
        self.held = ""

    def take(self, text: str) -> tuple[str, str | None]:
        """What can be said now, and the marker that has been found; it and all behind it stay in `held`."""
        text = self.held + text
        found = [(text.index(marker), marker) for marker in self._markers if marker in text]
        at, marker = min(found) if found else (len(text) - self._begun(text), None)
        self.held = text[at:]
        return text[:at], marker

    def _begun(self, text: str) -> int:
        """The length of the longest end of `text` that is the beginning of a marker."""
        ends = (size for marker in self._markers for size in range(1, len(marker)) if text.endswith(marker[:size]))
        return max(ends, default=0)
