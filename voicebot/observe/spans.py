"""A call's events in, its spans out: call -> turn -> stages, models, tools, and who spoke when.

    call Bright Smile Dental                      (SERVER)
      invoke_agent Bright Smile Dental            a turn: from the caller's first sound to the agent's last word
        caller_speaking, agent_speaking
        silence, turn, stt, brain, clause, voice, playback     the stages of voicebot.latency, and no others
        guard, retrieve                           what the brain does before it asks a model
        chat gpt-4.1-mini                         (CLIENT) an answer of a language model
        execute_tool book

Names and attributes are those of OpenTelemetry's semantic conventions for generative AI where these have any
(github.com/open-telemetry/semantic-conventions-genai, in development, as of autumn 2026), else begin with `voicebot.`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from voicebot.events import CallEnded, CallStarted, Event, HandedOver
from voicebot.latency import real_ms
from voicebot.observe import content
from voicebot.observe.span import CALL, Attributes, Span
from voicebot.observe.turn_spans import TurnSpans
from voicebot.observe.turns import Turn, Turns

_BAD_ENDS = ("failed", "lost")


def spans(call: Iterable[Event], *, said: bool = False) -> list[Span]:
    """All spans of a recorded call, the call's own first, then by their time; none without a `call_started`.

    `said`: and what was said, as the record has it.
    """
    making = Spans(said=said)
    found = [span for event in call for span in making.take(event)]
    found += making.rest()
    return sorted(found, key=lambda span: (span.key != CALL, span.start_ms, span.parent != CALL))


class Spans:
    """One call's spans, each as soon as it is complete; the call's own last."""

    def __init__(self, *, said: bool = False) -> None:
        self._said = said
        self._started: CallStarted | None = None
        self._agent = ""
        self._turns = Turns()
        self._count = 0
        self._last_ms = 0.0
        self._tools: dict[str, int] = {}

    def take(self, event: Event) -> Iterator[Span]:
        self._last_ms = max(self._last_ms, real_ms(event))
        if isinstance(event, CallStarted):
            self._started, self._agent = event, event.agent
        for turn in self._turns.add(event):
            yield from self._of_turn(turn)
        if isinstance(event, CallEnded):
            yield from self._over(event)

    def rest(self) -> Iterator[Span]:
        """What is left when a record breaks off; nothing behind `call_ended`."""
        yield from self._over(None)

    def _over(self, ended: CallEnded | None) -> Iterator[Span]:
        for turn in self._turns.rest():
            yield from self._of_turn(turn)
        if self._started:
            yield self._call(self._started, ended)
        self._started = None

    def _of_turn(self, turn: Turn) -> Iterator[Span]:
        if self._started is None:
            return
        self._count = max(self._count, turn.number)
        yield from TurnSpans(turn, self._started, self._agent, self._said, self._tools).all()
        for event in turn.events:
            if isinstance(event, HandedOver) and event.agent:
                self._agent = event.to

    def _call(self, started: CallStarted, ended: CallEnded | None) -> Span:
        about = {**begun(started).attributes, "voicebot.turns": self._count}
        error = "cut_off"
        if ended:
            about["voicebot.end.reason"] = ended.reason
            error = ended.reason if ended.reason in _BAD_ENDS else ""
        if self._said:
            about |= content.of_event(started, ("caller",))
            about |= content.of_event(ended, ("detail",)) if ended else {}
        return replace(begun(started), end_ms=self._last_ms, attributes=about, error=error)


def begun(started: CallStarted) -> Span:
    """A call's own span with what is known of it when it begins: not who calls."""
    parts = {"stt": started.stt, "tts": started.tts, "brain": started.brain}
    about: Attributes = {
        "gen_ai.conversation.id": started.call_id,
        "gen_ai.agent.name": started.agent,
        "gen_ai.agent.version": started.agent_sha256[:12],
        "voicebot.transport": started.transport,
        "voicebot.clock": started.clock,
        **{f"voicebot.{part}": name for part, name in parts.items() if name},
    }
    return Span(CALL, "", f"call {started.agent}", 0.0, 0.0, "server", about)
