"""The brain of one call: a conversation over the agent's graph, with the models, the tools and the memory it needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from loguru import logger

from voicebot import clock
from voicebot.brain import Failed, Guarded, HandOver, Output, Prepared, Say
from voicebot.brain.ahead import Ahead
from voicebot.brain.archive import Archive
from voicebot.brain.background import Background, Tell
from voicebot.brain.conversation import Conversation
from voicebot.brain.graph import STEP_LIMIT, CallContext, Graph, State
from voicebot.brain.graphfile import GraphFile
from voicebot.brain.guest import GuestTurn
from voicebot.brain.history import CONNECTED
from voicebot.brain.jobs import Jobs
from voicebot.brain.memory import CONTEXT, Memory
from voicebot.brain.memory.summary import Summariser
from voicebot.brain.rewound import Remembered
from voicebot.brain.thread import Shared, Thread
from voicebot.brain.tools import Toolbox
from voicebot.brain.turn import Turn
from voicebot.brain.watch import REFUSED, Watch
from voicebot.errors import VoicebotError
from voicebot.llm import LLM

Settles = Callable[[dict[str, Any], str], bool]
"""(flow state, what the caller has said so far) -> whether that surely answers the open question."""
Prepare = Callable[[State, CallContext], Awaitable[None]]
"""Begin what the graph would do in this state, as far as it can be thrown away."""
Connect = Callable[[], Awaitable[Sequence[LLM]]]


@dataclass(frozen=True)
class Mind:
    """What all calls of an agent share."""

    graph: Graph | GraphFile
    """Ours, or a guest: one that somebody else wrote."""
    toolbox: Toolbox
    language: str
    greeting: str | None = None
    settles: Settles = lambda _flow, _text: False
    prepare: Prepare | None = None
    """None for a brain that cannot begin early, or shall not."""
    context: int = CONTEXT
    """The budget of a request to a language model, in tokens."""
    slots: frozenset[str] = frozenset()
    """What a flow asks for."""
    fits: Callable[[dict[str, Any]], bool] = lambda _state: True
    """Whether a flow can go on from this state."""
    archive: Callable[[], Archive] | None = None
    """Where conversations are kept beyond the process."""
    warm: Prepare | None = None
    """None for a brain whose first answer needs nothing read before."""


class GraphBrain:
    """A `voicebot.brain.Brain`. `connect` opens the language models; it is called once, when they are first needed."""

    def __init__(
        self,
        mind: Mind,
        call_id: str,
        name: str,
        connect: Connect,
        watch: Watch | None = None,
        unusable: list[Failed] | None = None,
    ) -> None:
        """`unusable` gets the models that `connect` could not open."""
        self.name = name
        self._unusable = unusable if unusable is not None else []
        self._mind = mind
        self._watch = watch
        self._connect = connect
        self._llms: Sequence[LLM] | None = None
        self._warming: asyncio.Task[None] | None = None
        self._is_guest = isinstance(mind.graph, GraphFile)
        self._guest_calls: set[tuple[str, str]] = set()
        self._background = Background()
        self._tools_open = False
        self._ahead = Ahead()
        self._summariser = Summariser(self._models)
        self._memory = Memory(mind.context, self._summariser)
        self._talk = Conversation(self._thread(call_id), self._begin, name, mind.language, self._context)

    async def greet(self) -> AsyncGenerator[Output, None]:
        """See `voicebot.brain.Brain`. While the caller hears it, the models are made ready."""
        if self._mind.greeting:
            greeting = AIMessage(self._mind.greeting, id=_new_id("greeting"))
            yield Say(self._mind.greeting)
            # Some providers want the caller to speak first; our own nodes see to that themselves.
            connected = [HumanMessage(CONNECTED, id=_new_id("caller"))] if self._is_guest else []
            await self._talk.greet(*connected, greeting)
        async for failed in self.ready():
            yield failed

    async def ready(self) -> AsyncGenerator[Output, None]:
        """Open what replies will need: the servers of tools and the models. Puts out what cannot be used."""
        async for failed in self._tools_ready():
            yield failed
        await self._models()
        while self._unusable:
            yield self._unusable.pop(0)
        if self._mind.warm:
            self._warming = asyncio.create_task(self._warm(self._mind.warm), name="warm")

    async def _warm(self, warm: Prepare) -> None:
        """While the caller hears the greeting and speaks; what has been read by then need not be read again."""
        try:
            await warm(*await self._state())
        except Exception as error:  # noqa: BLE001 - it costs the first answer some time, and says itself what is wrong
            logger.debug(f"the model is not warm: {error}")

    async def _warm_enough(self) -> None:
        if self._warming:
            self._warming.cancel()
            await asyncio.wait([self._warming])
            self._warming = None

    async def _state(self, *more: AnyMessage) -> tuple[State, CallContext]:
        """The thread's state with more messages, and what a node would get of the call."""
        values = (await self._talk.thread.state()).values
        state = cast(State, {**values, "messages": [*values.get("messages", ()), *more]})
        jobs = Jobs(self._mind.toolbox)
        return state, CallContext(self._models, jobs, self._ahead, self._memory, self._known)

    async def reply(self, text: str) -> AsyncGenerator[Output, None]:
        """See `voicebot.brain.Brain`. '' is a turn in which the caller was only silent."""
        await self._warm_enough()
        self._memory.pause()
        for used in [*self._ahead.settle(), *self._summariser.untold()]:
            yield used
        async for failed in self._tools_ready():
            yield failed
        for result in self._background.untold():
            yield result
        try:
            async with aclosing(self._watched(text)) as outputs:
                async for output in outputs:
                    for strike in self._strikes():
                        yield strike
                    yield output
            for strike in self._strikes():
                yield strike
        finally:
            self._memory.begin(self.messages, len(self._talk.turns))

    async def _watched(self, text: str) -> AsyncGenerator[Output, None]:
        """The reply, if the guardrails let the caller's words in."""
        ruling = None
        if self._watch and text:
            began_s = clock.now_s()
            ruling = await self._watch.rule(text)
            yield Prepared("guard", round((clock.now_s() - began_s) * 1000, 3))
        if ruling and ruling.say:
            replies = self._talk.say(ruling.say, HumanMessage(REFUSED, id=_new_id("caller")))
        else:
            replies = self._replies(ruling.text if ruling else text)
        async with aclosing(replies) as outputs:
            async for output in outputs:
                yield output
        if self._watch and ruling and ruling.action == "hand_over":
            yield HandOver(self._watch.desk, ruling.hits[0].kind)

    def _strikes(self) -> Iterator[Guarded]:
        return self._watch.struck() if self._watch else iter(())

    def _replies(self, text: str) -> AsyncGenerator[Output, None]:
        """The one place where the caller's words go in, and what comes of them comes out."""

        def caller() -> list[AnyMessage]:
            return self._background.news(text, _new_id("caller"))

        return self._talk.answer(text, caller) if self._talk.questions else self._talk.reply(*caller())

    def say(self, text: str) -> AsyncGenerator[Output, None]:
        """See `voicebot.brain.Brain`."""
        return self._talk.say(text)

    async def prepare(self, text: str) -> None:
        """See `voicebot.brain.Brain`. Nothing is prepared while the memory of an earlier reply may still change."""
        if not text:
            await self._ahead.drop()
        elif self._watch and not self._watch.passes(text):
            return
        elif self._mind.prepare and all(turn.is_settled for turn in self._talk.turns):
            await self._warm_enough()
            await self._mind.prepare(*await self._state(HumanMessage(text)))

    async def heard(self, text: str, *, interrupted: bool) -> None:
        """See `voicebot.brain.Brain`. Of each reply the first report counts: after it, the reply is over."""
        await self._talk.hear(text, interrupted=interrupted)

    @property
    def slots(self) -> dict[str, Any]:
        """What a flow has learned so far."""
        return dict(self._talk.flow.get("slots", {}))

    async def take_over(self, messages: Sequence[AnyMessage], slots: dict[str, Any]) -> None:
        """Begin, or go on, with another brain's conversation, and with what it has learned."""
        update: dict[str, Any] = {}
        if self._mind.slots:
            known = {name: slots[name] for name in self._mind.slots if name in slots}
            self._talk.flow = update["flow"] = {"slots": known}
        await self._talk.begin_with(messages, update)

    async def memory(self) -> Remembered:
        """What it remembers now. Of a guest graph that is the conversation, and not what else its state holds."""
        values = (await self._talk.thread.state()).values
        messages = list(values.get("messages", ()))
        if self._is_guest:
            return Remembered(messages)
        return Remembered(messages, dict(self._talk.flow), dict(values.get("memory") or {}))

    async def remember(self, remembered: Remembered) -> None:
        """Begin with what another brain of this agent remembered; of a flow that was edited since, with its slots."""
        if not self._mind.fits(remembered.flow):
            await self.take_over(remembered.messages, remembered.flow.get("slots", {}))
            return
        self._talk.flow = dict(remembered.flow)
        update = {} if self._is_guest else {"flow": self._talk.flow, "memory": dict(remembered.note)}
        await self._talk.begin_with(remembered.messages, update)

    def on_finish(self, tell: Tell) -> None:
        """See `voicebot.brain.Brain`."""
        self._background.on_finish(tell)

    @property
    def has_news(self) -> bool:
        """See `voicebot.brain.Brain`."""
        return self._background.has_news

    def settles(self, text: str) -> bool:
        questions = self._talk.questions
        return questions.settles(text) if questions else self._mind.settles(self._talk.flow, text)

    async def close(self) -> Sequence[Output]:
        """Stop, let tools that have started finish, and forget the conversation."""
        await self._warm_enough()
        late = [*await self._talk.finish(), *self._strikes()]
        await self._ahead.drop()
        await self._memory.close()
        late += [*self._ahead.settle(), *self._summariser.untold(), *await self._background.close()]
        return [*late, *await self._talk.thread.close()]

    async def messages(self) -> list[AnyMessage]:
        """The conversation as it is remembered now."""
        return await self._talk.thread.messages()

    def _thread(self, call_id: str) -> Thread:
        config: RunnableConfig = {"configurable": {"thread_id": call_id}}
        if isinstance(self._mind.graph, GraphFile):
            return Thread(self._mind.graph.for_a_call(config), config, self._mind.archive)
        return Thread(Shared(self._mind.graph), {**config, "recursion_limit": STEP_LIMIT}, self._mind.archive)

    def _begin(self, *first: AnyMessage, goes_on: Turn | None = None) -> Turn:
        if self._is_guest:
            turn: Turn = GuestTurn(*first, known_calls=self._guest_calls, goes_on=goes_on)
        else:
            run = self._watch.tools(self._mind.toolbox.run) if self._watch else None
            turn = Turn(Jobs(self._mind.toolbox, self._background, run), *first, goes_on=goes_on)
        turn.lips = self._watch.lips() if self._watch else None
        return turn

    def _context(self, turn: Turn) -> CallContext:
        return CallContext(self._models, turn.jobs, self._ahead, self._memory, self._known)

    @property
    def _known(self) -> Callable[[str], str]:
        """What passages of the knowledge pass on their way to a model."""
        return self._watch.knowledge if self._watch else str

    async def _tools_ready(self) -> AsyncGenerator[Output, None]:
        """Connect to the servers that offer tools, once; puts out that one cannot be used."""
        if not self._tools_open:
            try:
                await self._mind.toolbox.open()
            except VoicebotError as error:
                yield Failed(self.name, str(error), "its tools are left out", "tool")
            self._tools_open = True

    async def _models(self) -> Sequence[LLM]:
        if self._llms is None:
            self._llms = await self._connect()
        return self._llms


def _new_id(of: str) -> str:
    return f"{of}-{uuid4().hex}"
