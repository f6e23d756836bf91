"""What of a call's conversation its model is sent: as much as fits into a budget of tokens.

    system prompt │ note on the earlier turns │ the last turns, word for word │ notes for this turn only

Nothing is taken out of the conversation itself. When a request comes near the budget, the oldest turns are left out of
it and a note stands for them. The note then stays as it is, byte for byte, until the budget is near again, so that
servers can go on using what they have cached.

The note is made in the background between two replies, with the help of a language model. When the budget is reached
before that, a rule makes it at once; when even this turn alone is too long, its longest messages are shortened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from loguru import logger

from voicebot.brain.history import for_model
from voicebot.brain.memory.meter import Meter, estimated_tokens, message_tokens, tool_tokens
from voicebot.brain.memory.note import Note, noted, transcript
from voicebot.brain.memory.squeeze import squeezed

CONTEXT = 8000
"""The budget of an agent that names none."""
VERBATIM_TURNS = 4
"""So many turns of the caller stay word for word, with the replies to them, unless they alone exceed the budget."""
NEAR, AFTER, NOTE = 0.75, 0.4, 0.3
"""Shares of the budget that the system prompt and the tools leave: from how much on a note is made in the background,
how much is left after that, and how long the note may get."""
LEAST_GAIN = 0.1
"""A note that would replace less is not worth what it costs to read the conversation again."""
ATTEMPTS = 2
"""How often a model is asked for the same summary, when the caller speaks before it is there. Then a rule makes it."""

Summarise = Callable[[str, str], Awaitable[str | None]]
"""(notes so far, transcript of what follows them) -> both in short, or None."""
Conversation = Callable[[], Awaitable[Sequence[BaseMessage]]]


@dataclass(frozen=True)
class _Frame:
    """What stands around the conversation in every request."""

    system: SystemMessage
    tools: int
    """Tokens."""
    known: Mapping[str, Any] = field(default_factory=dict)


class Memory:
    """Of one call. `budget` is in tokens."""

    def __init__(self, budget: int, summarise: Summarise) -> None:
        self._budget = budget
        self._summarise = summarise
        self._meter = Meter()
        self._note: Note | None = None
        self._frame: _Frame | None = None
        self._taken = 0
        """Tokens of the last request."""
        self._next: tuple[Note | None, Note] | None = None
        """A note that is ready, behind the one it is to follow."""
        self._task: asyncio.Task[None] | None = None
        self._broken_off = 0
        """How often the summary that is due was broken off."""

    def fitted(
        self,
        system: SystemMessage,
        messages: Sequence[BaseMessage],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        aside: str = "",
        known: Mapping[str, Any] | None = None,
    ) -> list[BaseMessage]:
        """What to send now: see `voicebot.brain.history.for_model`, within the budget.

        `aside` is for this turn only; `known` are slots that are to be kept as they are.
        """
        frame = self._frame = _Frame(system, tool_tokens(tools), known or {})
        self._meter.learn(messages)
        if messages and isinstance(messages[-1], HumanMessage):
            self._turn_the_page()
        sent = self._sent(frame, messages, aside)
        for turns in (VERBATIM_TURNS, 1):
            if self._count(frame, sent) <= self._budget:
                break
            if self._drop(frame, messages, turns, estimated_tokens(aside)):
                sent = self._sent(frame, messages, aside)
        sent = squeezed(sent, lambda each: self._count(frame, each) <= self._budget)
        self._meter.asks(sent, frame.tools)
        self._taken = self._count(frame, sent)
        return sent

    def restore(self, saved: Mapping[str, str] | None, messages: Sequence[BaseMessage]) -> dict[str, str] | None:
        """The note for the checkpoint, None when that has it. A call that has none yet takes up the one `saved`."""
        self._turn_the_page()
        if self._note is None and saved:
            self._note = Note.of(saved, messages)
        if self._note is None or (saved and saved["text"] == self._note.text):
            return None
        return self._note.saved()

    def begin(self, conversation: Conversation, unsettled: int) -> None:
        """The agent has replied: make a note in the background, if it is time. Of the last `unsettled` turns it is not
        sure yet what is to be remembered."""
        if self._frame and not self._task and not self._next and self._is_near(self._frame):
            self._task = asyncio.create_task(self._prepare(self._frame, conversation, unsettled), name="summary")
            self._task.add_done_callback(self._ended)

    def pause(self) -> None:
        """The caller wants an answer: a model that runs on this machine must not be busy with a summary."""
        if self._task:
            self._task.cancel()

    async def close(self) -> None:
        """Stop, for good."""
        self._frame = None
        if task := self._task:
            task.cancel()
            await asyncio.wait([task])

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (error := task.exception()):
            logger.opt(exception=error).error("no note on the earlier part of the call")

    def _turn_the_page(self) -> None:
        """Use the note that is ready, unless another one was made at once meanwhile."""
        if self._next and self._next[0] is self._note:
            self._note = self._next[1]
        self._next = None

    def _sent(self, frame: _Frame, messages: Sequence[BaseMessage], aside: str = "") -> list[BaseMessage]:
        note = self._note.text if self._note else ""
        return for_model(frame.system, self._shown(messages), note=note, aside=aside)

    def _shown(self, messages: Sequence[BaseMessage]) -> Sequence[BaseMessage]:
        """Those after the note. All of them when the message where it ends is gone."""
        if self._note:
            for place in range(len(messages) - 1, -1, -1):
                if messages[place].id == self._note.through:
                    return messages[place + 1 :]
        return messages

    def _count(self, frame: _Frame, sent: Sequence[BaseMessage]) -> int:
        return self._meter.count(sent, frame.tools)

    def _room(self, frame: _Frame) -> int:
        """Tokens that the system prompt and the tools leave."""
        fixed = self._meter.stretched(message_tokens(frame.system) + frame.tools)
        return max(self._budget - fixed, 0)

    def _is_near(self, frame: _Frame) -> bool:
        return self._taken >= self._budget - (1 - NEAR) * self._room(frame)

    def _drop(self, frame: _Frame, messages: Sequence[BaseMessage], turns: int, aside: int) -> bool:
        """Make a note by rule, at once, that leaves at least so many turns. False when there is nothing to drop."""
        shown = self._shown(messages)
        end = self._end(shown, turns, AFTER * self._room(frame) - aside)
        if end:
            limit = round(NOTE * self._room(frame))
            self._note = noted(self._note, shown[:end], shown[end:], limit=limit, known=frame.known)
        return end > 0

    def _end(self, shown: Sequence[BaseMessage], turns: int, target: float) -> int:
        """How many messages are to be left out: the fewest whole turns, so that the rest takes no more than `target`
        tokens; all but the last `turns` when that is not to be had."""
        starts = [start for start in _turns(shown)[: -turns + 1 or None] if start]
        sizes = [self._meter.stretched(message_tokens(message)) for message in shown]
        return next((start for start in starts if sum(sizes[start:]) <= target), starts[-1] if starts else 0)

    async def _prepare(self, frame: _Frame, conversation: Conversation, unsettled: int) -> None:
        messages = await conversation()
        room, before = self._room(frame), self._note
        shown = self._shown(messages)
        end = self._end(shown, max(VERBATIM_TURNS, unsettled), AFTER * room)
        removed, kept = shown[:end], shown[end : _last_turns(shown, unsettled)]
        if sum(map(message_tokens, removed)) < LEAST_GAIN * room:
            return
        summary = None
        if self._broken_off < ATTEMPTS:
            self._broken_off += 1
            summary = await self._summarise(before.text if before else "", transcript(removed))
        making = partial(noted, before, removed, kept, limit=round(NOTE * room), summary=summary, known=frame.known)
        self._next = before, await asyncio.get_running_loop().run_in_executor(None, making)
        self._broken_off = 0


def _turns(messages: Sequence[BaseMessage]) -> list[int]:
    """Where the caller's turns begin. What came from the background right before one (`news-...`) belongs to it."""
    starts = []
    for place, message in enumerate(messages):
        if isinstance(message, HumanMessage):
            while place > 1 and (messages[place - 2].id or "").startswith("news-"):
                place -= 2  # a call and its result
            starts.append(place)
    return starts


def _last_turns(messages: Sequence[BaseMessage], turns: int) -> int:
    """Where the last so many turns begin."""
    return [*(0 for _ in range(turns)), *_turns(messages), len(messages)][-1 - turns]
