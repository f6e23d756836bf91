"""A model's answer, read while it comes.

What was understood is a call of `understood`, whose last argument is what the model says itself. As soon as that
begins, everything else is known, and its sentences can be spoken while the rest is still being written.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.utils.json import parse_partial_json

from voicebot import clock
from voicebot.brain.ahead import Stream
from voicebot.flow import Flow

from .claims import UNDERSTOOD, Claims
from .speakable import Speakable


class Unreadable(Exception):
    """The answer makes no sense."""


class Reading(ABC):
    def __init__(self) -> None:
        self.chunks: list[AIMessageChunk] = []
        self.taken = False
        """Something of it has been used."""
        self.content = ""

    async def read(self, stream: Stream, patience_s: float) -> None:
        """Raises what the provider raises, TimeoutError after a silence, Unreadable."""
        loop = asyncio.get_running_loop()
        with clock.work():
            async with asyncio.timeout(patience_s) as limit, aclosing(stream) as chunks:
                async for chunk in chunks:
                    self.feed(chunk)
                    if chunk.text or chunk.tool_call_chunks:
                        limit.reschedule(loop.time() + patience_s)
        self.end()

    def feed(self, chunk: AIMessageChunk) -> None:
        self.chunks.append(chunk)
        self.content += chunk.text

    @abstractmethod
    def end(self) -> None:
        """The answer is complete. Raises Unreadable."""


class Rewording(Reading):
    """A question in the model's own words."""

    def __init__(self, speakable: Speakable, take: Callable[[str], None]) -> None:
        super().__init__()
        self._speakable, self._take = speakable, take

    def end(self) -> None:
        question = self._speakable.question(self.content)
        if not question:
            raise Unreadable("it was to put a question, and its words are none.")
        self.taken = True
        self._take(question)


class Understanding(Reading):
    """What a model has understood; `take` gets it, with more and more of the model's words."""

    def __init__(self, flow: Flow, speakable: Speakable, take: Callable[[Claims], None]) -> None:
        super().__init__()
        self._flow, self._speakable, self._take = flow, speakable, take
        self._name = self._arguments = self._said = ""
        self._call: int | str | None = None
        """Which tool call it is; one is enough."""

    def feed(self, chunk: AIMessageChunk) -> None:
        super().feed(chunk)
        for piece in chunk.tool_call_chunks:
            if not self._name:
                self._name, self._call = piece["name"] or "", piece["index"]
            if piece["index"] == self._call:
                self._arguments += piece["args"] or ""
        if self._name == UNDERSTOOD:
            self._early()

    def _early(self) -> None:
        """Hand on what was understood once the words begin, and each sentence of them when it is complete."""
        try:
            so_far = parse_partial_json(self._arguments)
        except ValueError:
            return
        if not isinstance(so_far, dict) or "act" not in so_far or list(so_far)[-1] != "say":
            return
        claims = self._claims(so_far, complete=False)
        if claims.say != self._said:
            self._hand_on(claims)

    def end(self) -> None:
        """Hand on the whole. Words without a call, as from a server that knows no tools, are a mere remark."""
        if self._name or self._arguments:
            self._hand_on(self._claims(self._object(), complete=True))
            return
        said = self._speakable.of(self.content, complete=True)
        if not said:
            raise Unreadable("its words cannot be spoken." if self.content.strip() else "the answer was empty.")
        self._hand_on(Claims(say=said))

    def _object(self) -> dict[str, Any]:
        if self._name != UNDERSTOOD:
            raise Unreadable(f"it calls '{self._name[:40]}', which is no tool here.")
        try:
            value = json.loads(self._arguments)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise Unreadable("its arguments are not a JSON object.")
        return value

    def _claims(self, arguments: dict[str, Any], *, complete: bool) -> Claims:
        claims = Claims.of(arguments, self._flow)
        return replace(claims, say=self._speakable.of(claims.say, complete=complete))

    def _hand_on(self, claims: Claims) -> None:
        self.taken, self._said = True, claims.say
        self._take(claims)
