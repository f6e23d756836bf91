"""One reply as it comes about: what it has said, called and left running, and what of it is to be remembered.

The graph saves what its nodes return, but a reply that is cut short ends in the middle of a node. So the turn keeps
its own account, from which the conversation's memory can be put right at any moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage
from langgraph.types import StreamMode

from voicebot.brain import CallTool, Discreet, HandOver, HangUp, Moved, Output, PressKeys, Say, ToolResult
from voicebot.brain.graph import RECALL, RESPOND, TOOLS, Words
from voicebot.brain.heard import after, as_heard, content_of, letters
from voicebot.brain.jobs import Done, Jobs

if TYPE_CHECKING:
    from voicebot.brain.watch import Lips

MODES: list[StreamMode] = ["custom", "messages", "updates"]
INTERRUPT = "__interrupt__"
"""Under this name LangGraph streams that a graph waits for an answer."""


class Turn:
    """A turn of the caller and the agent's reply to it; of the greeting, only the reply."""

    def __init__(self, jobs: Jobs, *first: AnyMessage, goes_on: Turn | None = None) -> None:
        """`first`: what the turn begins with, the caller's words last; of the greeting, its words. `goes_on`: the turn
        that asked what the caller has answered now."""
        self.jobs = jobs
        self.run: asyncio.Task[None] | None = None
        """What answers it."""
        self.flow: dict[str, Any] | None = None
        self.endings: list[HangUp | HandOver] = []
        self.complete = False
        """The graph has run to its end and saved what it did."""
        self.lips: Lips | None = None
        """What its words pass on their way out."""
        self.is_right = False
        """The thread holds what it shall hold of this turn."""
        self._first = list(first)
        self._messages: dict[str, AnyMessage] = {message.id or "": message for message in first}
        spoken = (each for each in first if isinstance(each, AIMessage) and each.text)
        self._said: dict[str, str] = {each.id or "": each.text for each in spoken}
        """What the caller was to hear, by the message it belongs to."""
        self._meant = dict(self._said)
        """The same before it passed the lips."""
        self._question = ""
        """The id under which a question is said: no message of the conversation."""
        self._heard: tuple[str, bool] | None = None
        self._told: set[tuple[type[Output], str]] = goes_on._told if goes_on else set()

    def given(self, saved: Sequence[AnyMessage]) -> list[AnyMessage]:
        """What the turn adds to the conversation `saved` before the graph answers."""
        return self._first

    def how(self, context: Any) -> dict[str, Any]:
        """How LangGraph is to run the graph."""
        # One save a reply: what a cut reply did is in this account.
        return {"stream_mode": MODES, "durability": "exit", "context": context}

    def take(self, mode: str, part: Any, namespace: tuple[str, ...] = ()) -> Iterator[Output]:
        """What the graph streams, as outputs of the brain."""
        if mode == "custom":
            yield from self._written(part)
        elif mode == "messages":
            message, metadata = part
            if metadata.get("langgraph_node") != TOOLS and isinstance(message, AIMessage | AIMessageChunk):
                yield from self._spoken(message)
        elif mode == "updates":
            for node, update in part.items():
                yield from self._returned(node, update or {})

    def _written(self, part: object) -> Iterator[Output]:
        if isinstance(part, Words):
            yield self._say(part.id, part.text)
        elif isinstance(part, Done):
            if part.output:
                yield part.output
            if isinstance(part.act, PressKeys | Discreet):
                yield part.act
            elif part.act:
                self.endings.append(part.act)
        elif isinstance(part, Output) and not self._knows(part):
            yield part

    def _spoken(self, message: AIMessage | AIMessageChunk) -> Iterator[Output]:
        """Words of a message that its node did not write early: a piece, or the whole one once."""
        id_ = message.id or ""
        if message.text and (isinstance(message, AIMessageChunk) or id_ not in self._said):
            yield self._say(id_, message.text)

    def _say(self, id_: str, text: str) -> Say:
        """The words, with a gap before the first of another message."""
        gap = " " if self._said and id_ not in self._said else ""
        rest = self._rest() if gap else ""
        said = self.lips.feed(text) if self.lips else text
        self._meant[id_] = self._meant.get(id_, "") + text
        self._said[id_] = self._said.get(id_, "") + said
        return Say(rest + gap + said)

    def _rest(self) -> str:
        """What was held back of the last message, now that it is whole."""
        rest = self.lips.flush() if self.lips else ""
        if rest:
            last = next(reversed(self._said))
            self._said[last] += rest
        return rest

    def end(self) -> Iterator[Output]:
        """The graph says no more."""
        if rest := self._rest():
            yield Say(rest)
        if self.lips and self.lips.sealed and self.lips.sealed.action == "hand_over":
            self.endings.append(HandOver(self.lips.desk, self.lips.sealed.hits[0].kind))

    def _returned(self, node: str, update: Any) -> Iterator[Output]:
        if node == INTERRUPT:
            return
        for message in update.get("messages", []):
            self._messages[message.id or ""] = message
        flow = update.get("flow")
        if flow is not None:
            self.flow = flow
            yield Moved(str(flow.get("step", "")), dict(flow.get("slots", {})))
        elif node not in (RECALL, RESPOND, TOOLS):
            yield Moved(node)

    def told(self, output: Output) -> None:
        """The call has been given this output."""
        if isinstance(output, CallTool | ToolResult):
            self._told.add((type(output), output.id))

    def _knows(self, output: Output) -> bool:
        """The call has been told before: a tool that asked the caller something is called once more."""
        return isinstance(output, CallTool) and (type(output), output.id) in self._told

    @property
    def begun(self) -> frozenset[str]:
        """Tool calls that were running when the reply was stopped, and may have been torn from it."""
        return frozenset()

    @property
    def looks_back(self) -> bool:
        """Whether `given` depends on what is saved."""
        return False

    @property
    def owes_words(self) -> bool:
        """The reply is over, and the caller has got nothing for an answer."""
        return False

    async def stop(self) -> None:
        """The reply is over; tools that have started go on."""
        if self.run and not self.run.done():
            self.run.cancel()
            await asyncio.wait([self.run])

    async def finish(self) -> None:
        """Until the tools that have started are done."""
        await self.jobs.wait()

    @property
    def works(self) -> bool:
        """Something is still going on that will have to be remembered before anything else."""
        return False

    def untold(self) -> Iterator[Output]:
        """Tools of this turn that the call does not know of yet, because the reply was closed before."""
        done = self.jobs.finished()
        for call in self.jobs.asked:
            result = done[call.id].output if call.id in done else None
            for output in (call, result):
                if output and (type(output), output.id) not in self._told:
                    self.told(output)
                    yield output

    # -- questions ---------------------------------------------------------------------------------------------------

    def ask(self, question: str) -> Say:
        """The graph waits for the caller's answer to this."""
        self._question = f"question-{uuid4().hex}"
        said = self._say(self._question, question)
        return Say(said.text + self._rest())

    @property
    def waits(self) -> bool:
        """The graph has not come to its end, because it waits for an answer."""
        return bool(self._question) and not self.complete

    @property
    def was_asked(self) -> bool:
        """The caller has heard at least half of the question. What they say then is taken for the answer."""
        heard, interrupted = self._heard or ("", True)
        before = " ".join(text for id_, text in self._said.items() if id_ != self._question)
        asked = after(heard, before)
        whole = len(letters(self._said.get(self._question, "")))
        return not interrupted or (asked is not None and 2 * len(letters(asked)) >= whole)

    # -- memory ------------------------------------------------------------------------------------------------------

    @property
    def spoke(self) -> bool:
        return any(text.strip() for text in self._said.values())

    @property
    def was_heard(self) -> bool:
        return self._heard is not None

    @property
    def is_settled(self) -> bool:
        """What is to be remembered of it will not change any more."""
        return self.was_heard and not self.waits and all(call.id in self.jobs.finished() for call in self.jobs.asked)

    def hear(self, heard: str, interrupted: bool) -> None:
        self._heard = (heard, interrupted)

    def remembered(self) -> list[AnyMessage]:
        """What the conversation shall hold of it. Of a reply cut short of which nothing was heard: no words."""
        messages = self._account()
        heard, interrupted = self._heard or ("", True)
        if self._heard or not self.complete:
            messages = as_heard(messages, heard, interrupted=interrupted, said=self._said)
        return [self._for_memory(message) for message in messages] if self.lips else messages

    def _for_memory(self, message: AnyMessage) -> AnyMessage:
        """What the caller hears may hold what a model must not see."""
        if not self.lips or message.id not in self._said or not isinstance(message, AIMessage):
            return message
        text = self.lips.remembered(message.text)
        return message if text == message.text else _with_text(message, text)

    @property
    def is_unchanged(self) -> bool:
        """The thread holds what it shall hold of this turn, because the graph has saved it and all was heard."""
        return self.complete and self.remembered() == self._done()

    def corrected(self, saved: Sequence[AnyMessage]) -> list[AnyMessage]:
        """The conversation `saved` in the thread, put right as far as this turn goes."""
        self._messages.update((message.id, message) for message in saved if message.id and message.id in self._messages)
        mine = {message.id: message for message in self._account()}
        wanted = {message.id: message for message in self.remembered()}
        kept = [wanted.pop(each.id, each) for each in saved if each.id not in mine or each.id in wanted]
        # What a complete reply did and the graph has not kept, it has not kept on purpose.
        return kept if self.complete else [*kept, *wanted.values()]

    def _account(self) -> list[AnyMessage]:
        """Everything that was said and done, in order, with the words that were let out."""
        return [self._let_out(message) for message in self._done()]

    def _let_out(self, message: AnyMessage) -> AnyMessage:
        said = self._said.get(message.id or "") if self.lips else None
        if said is None or not isinstance(message, AIMessage) or letters(said) == letters(message.text):
            return message
        return _with_text(message, said.strip())

    def _done(self) -> list[AnyMessage]:
        """Everything that was said and done, in order; a message that is not finished as far as it got."""
        said = {id_: text for id_, text in self._said.items() if id_ != self._question}
        partial = {id_: AIMessage(text, id=id_) for id_, text in said.items() if id_ not in self._messages}
        results = {done.message.id or "": done.message for done in self.jobs.finished().values()}
        return list({**self._messages, **partial, **results}.values())


def _with_text(message: AIMessage, text: str) -> AIMessage:
    return message.model_copy(update={"content": content_of(message.content, text)})
