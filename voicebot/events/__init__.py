"""The typed events of a call: the only thing that faces (terminal, studio, evals, recorder) read.

Every event carries `t_ms`, milliseconds on the call's own clock since it was answered, and `turn`:
0 while the agent greets, then n from the first sound of the caller's n-th turn until the next one.
Events are written as they happen, one JSON object a line, and are versioned by `v`.

`t_ms` is where the event stands in `call.wav`. On the skip-idle clock that time stands still while something is
computed; what the computing really took is the event's `lag_ms`. So how long it took from one event to another is the
difference of their `t_ms + lag_ms` (`voicebot.latency.real_ms`). Of the other times, those that were measured in the
audio (`speech_start_ms`, `speech_end_ms`, `ends_ms`) have no lag: a sound is where it is, however late the machine
notices; `decided_ms` has a lag of its own beside it; and `voicebot.latency.heard_ms` gives `starts_ms` one.

Latency stages of one reply, in the order they happen, each an event with its own time:

    caller stops (speech_end_ms) -> caller_speech_stopped -> decided_ms -> transcript_final -> turn_ended
      -> first_token -> first_clause -> first_audio -> agent_speech_started
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from voicebot.events.base import Event as _Event
from voicebot.events.line import CallerBack as CallerBack
from voicebot.events.line import CallerHeld as CallerHeld
from voicebot.events.line import LineNews as LineNews
from voicebot.events.line import RecordingChanged as RecordingChanged
from voicebot.events.line import TransferMoved as TransferMoved


class CallStarted(_Event):
    """The call was answered: who talks to whom, and with what."""

    type: Literal["call_started"] = "call_started"
    call_id: str
    agent: str
    agent_sha256: str
    started_at: str
    """Wall-clock time of the answer, ISO 8601 with offset."""
    transport: str
    caller: str = ""
    """Who calls: a persona's name, a phone number, 'microphone', 'keyboard', a file name."""
    rate_hz: int
    """Sample rate of the call's audio both ways; 0 for a typed conversation."""
    clock: Literal["real", "skip-idle"]
    stt: str = ""
    tts: str = ""
    brain: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    pid: int = 0


class CallerSpeechStarted(_Event):
    """The VAD is sure that the caller speaks."""

    type: Literal["caller_speech_started"] = "caller_speech_started"
    speech_start_ms: float
    """Where in the audio the speech began (earlier than t_ms by the VAD's own delay)."""


class CallerSpeechStopped(_Event):
    """The VAD is sure that the caller is silent. Not yet the end of the turn."""

    type: Literal["caller_speech_stopped"] = "caller_speech_stopped"
    speech_end_ms: float
    """Where in the audio the speech ended (earlier than t_ms by the VAD's silence wait)."""


class TranscriptInterim(_Event):
    """What the caller's turn seems to say so far; a later one replaces it."""

    type: Literal["transcript_interim"] = "transcript_interim"
    text: str


class TranscriptFinal(_Event):
    """What one stretch of speech said. A turn may have several."""

    type: Literal["transcript_final"] = "transcript_final"
    text: str
    confidence: float | None = None


class TurnEnded(_Event):
    """The caller's turn is over; the agent may answer."""

    type: Literal["turn_ended"] = "turn_ended"
    text: str
    reason: Literal["smart_turn", "text", "silence", "typed"]
    probability: float | None = None
    """Smart Turn's probability that the turn is complete, where it was asked."""
    speech_end_ms: float
    """End of the caller's speech on the call's clock; V2V counts from here."""
    decided_ms: float
    """When it was decided that the turn is over. The recogniser's last word may have come after that."""
    decided_lag_ms: float = 0.0
    """The `lag_ms` of that moment."""


class FirstToken(_Event):
    """The brain's first words of this reply."""

    type: Literal["first_token"] = "first_token"


class FirstClause(_Event):
    """The first clause of this reply is complete and goes to the TTS."""

    type: Literal["first_clause"] = "first_clause"


class FirstAudio(_Event):
    """The TTS has given the first audio of this reply."""

    type: Literal["first_audio"] = "first_audio"


class AgentSpeechStarted(_Event):
    """The caller begins to hear this reply."""

    type: Literal["agent_speech_started"] = "agent_speech_started"
    filler: bool = False
    """What they hear is a filler ("One moment."); the answer's own beginning is its first `agent_saying`."""


class AgentSaying(_Event):
    """A clause has been handed to the caller's side; it is heard from `starts_ms` on."""

    type: Literal["agent_saying"] = "agent_saying"
    text: str
    starts_ms: float
    ends_ms: float
    filler: bool = False
    """Said only because there was no answer yet; the conversation does not remember it."""


class AgentPaused(_Event):
    """The caller made a sound while the agent spoke: the agent is silent until it is clear what it was."""

    type: Literal["agent_paused"] = "agent_paused"
    speech_start_ms: float


class AgentResumed(_Event):
    """It was a cough or an 'uh-huh': the agent goes on from the word where it stopped."""

    type: Literal["agent_resumed"] = "agent_resumed"


class BargeIn(_Event):
    """The caller took the floor; the rest of the reply is dropped."""

    type: Literal["barge_in"] = "barge_in"
    heard: str


class AgentSpeechStopped(_Event):
    """The reply is over: all of it was heard, or the caller interrupted it."""

    type: Literal["agent_speech_stopped"] = "agent_speech_stopped"
    heard: str
    """The words the caller heard: what the conversation remembers, and the fillers among them."""
    said: str
    """The words the agent meant to say."""
    interrupted: bool


class ToolCalled(_Event):
    """The brain runs a tool."""

    type: Literal["tool_called"] = "tool_called"
    id: str
    name: str
    arguments: dict[str, Any]


class ToolReturned(_Event):
    """A tool came to its end, well or not."""

    type: Literal["tool_returned"] = "tool_returned"
    id: str
    name: str
    ok: bool
    """False when the tool could not be run as asked. A business 'no' ("no slot free") is ok."""
    result: Any = None
    duration_ms: float
    attempts: int = 1
    """How often it was tried; more than once only where the agent file says that this does no harm."""


class BrainMoved(_Event):
    """Where the brain is now: graph node or flow step, and the slots filled so far."""

    type: Literal["brain_moved"] = "brain_moved"
    node: str
    slots: dict[str, Any] = Field(default_factory=dict)


class HandedOver(_Event):
    """The agent passes the caller on: to a person, another agent or a number."""

    type: Literal["handed_over"] = "handed_over"
    to: str
    reason: str
    agent: str = ""
    """The file of the agent that goes on with this call; '' when the call leaves the agents."""


class ProviderFailed(_Event):
    """A provider did not do its work; the call goes on."""

    type: Literal["provider_failed"] = "provider_failed"
    kind: Literal["stt", "llm", "tts", "turn", "tool", "store"]
    provider: str
    error: str
    remedy: str = ""
    """What the engine did about it: 'next provider', 'apology', ..."""


class ModelUsed(_Event):
    """What one answer of a language model used, as its provider counts it."""

    type: Literal["model_used"] = "model_used"
    provider: str
    """'provider/model'."""
    input_tokens: int
    cached_tokens: int = 0
    """Of the input, those that the provider did not have to read again."""
    output_tokens: int
    cost_usd: float | None = None
    """By the dated price table; null where that has no price."""
    estimated: bool = False
    """The provider did not count, or was cut short before it did: estimated from the length of the texts."""


class SpeechUsed(_Event):
    """What a recogniser heard of one stretch of speech, or a voice was given of one clause; not what was kept of
    earlier calls and only played again."""

    type: Literal["speech_used"] = "speech_used"
    kind: Literal["stt", "tts"]
    provider: str
    """'provider/model', as the call's other events name it."""
    seconds: float = 0.0
    """Of audio that the recogniser was sent, or that the voice gave."""
    characters: int = 0
    """Of text that the voice was sent: as it is read out, numbers in words."""
    cost_usd: float | None = None
    """By the dated price table; null where that has no price."""


class BudgetReached(_Event):
    """The agent has spent a share of what its file allows. At the limit it says so and ends the call."""

    type: Literal["budget_reached"] = "budget_reached"
    of: Literal["call", "day"]
    """What the money is for: this call, or all calls of this agent today."""
    spent_usd: float
    budget_usd: float
    over: bool
    """False while it is only a warning."""


class BrainPrepared(_Event):
    """What the brain did before it asked a model or the flow. Told where an agent has guardrails, or knowledge to look
    things up in."""

    type: Literal["brain_prepared"] = "brain_prepared"
    step: Literal["guard", "retrieve"]
    duration_ms: float


class GuardrailHit(_Event):
    """A guardrail struck. What was said stands, redacted, in the other events."""

    type: Literal["guardrail_hit"] = "guardrail_hit"
    rail: str
    """'pii', 'toxicity', 'injection', 'topic', 'never_say'."""
    kind: str
    """What it saw: 'card', 'threat', ..."""
    side: Literal["caller", "agent", "tool"]
    action: Literal["flag", "redact", "block", "hand_over"]


class KeysPressed(_Event):
    """Touch tones went down the line."""

    type: Literal["keys_pressed"] = "keys_pressed"
    side: Literal["agent", "caller"]
    keys: str
    """'0'-'9', '*', '#', and 'w' for a pause."""


class CallerSilent(_Event):
    """The caller has said nothing for as long as the agent waits; the agent asks, and in the end hangs up."""

    type: Literal["caller_silent"] = "caller_silent"
    times: int
    """How often in a row."""


class AudioNotice(_Event):
    """Something is wrong with the caller's audio. Told once, and again only after it was good in between."""

    type: Literal["audio_notice"] = "audio_notice"
    kind: Literal["too_quiet", "clipping", "dropouts", "narrowband"]
    """`narrowband`: the audio holds no more than a telephone carries, although the line could."""
    level: float
    """too_quiet: the level of speech in dB below full scale. clipping: percent of samples that are cut off.
    dropouts: milliseconds that were lost in the last ten seconds. narrowband: dB by which the sound above 4 kHz is
    weaker than below."""


class CallEnded(_Event):
    """The last event of a call. A record without one was cut off."""

    type: Literal["call_ended"] = "call_ended"
    reason: Literal["caller_hung_up", "agent_hung_up", "handed_over", "input_ended", "interrupted", "failed", "lost"]
    """`lost`: the call's process died, and the server wrote this afterwards."""
    detail: str = ""


Event = Annotated[
    CallStarted
    | CallerSpeechStarted
    | CallerSpeechStopped
    | TranscriptInterim
    | TranscriptFinal
    | TurnEnded
    | FirstToken
    | FirstClause
    | FirstAudio
    | AgentSpeechStarted
    | AgentSaying
    | AgentPaused
    | AgentResumed
    | BargeIn
    | AgentSpeechStopped
    | ToolCalled
    | ToolReturned
    | BrainMoved
    | HandedOver
    | ProviderFailed
    | ModelUsed
    | SpeechUsed
    | BudgetReached
    | BrainPrepared
    | GuardrailHit
    | KeysPressed
    | CallerSilent
    | AudioNotice
    | CallerHeld
    | CallerBack
    | TransferMoved
    | RecordingChanged
    | LineNews
    | CallEnded,
    Field(discriminator="type"),
]

_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


def parse(line: str | bytes) -> Event:
    """One line of events.jsonl as its typed event. Raises pydantic.ValidationError."""
    return _ADAPTER.validate_json(line)
