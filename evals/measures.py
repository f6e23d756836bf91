"""Everything that is measured in one call, as counts and lists, so that calls add up: rates come from sums.

Definitions: docs/metrics.md. Lists hold one value a turn (or sound); their percentiles over many calls are taken over
all values together.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

FEW = 10
"""A rate over fewer says so wherever it is shown."""


class Rate(BaseModel):
    """`hits` of `n`. Rates of many calls are pooled by adding both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hits: int = 0
    n: int = 0

    def __add__(self, other: Rate) -> Rate:
        return Rate(hits=self.hits + other.hits, n=self.n + other.n)

    @property
    def value(self) -> float | None:
        """None of nothing."""
        return self.hits / self.n if self.n else None

    @property
    def few(self) -> bool:
        """Whether it stands on too little to be quoted."""
        return self.n < FEW


class Measures(BaseModel):
    """The figures of one call."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # -- latency: one value a turn, in order of time -------------------------------------------------------------------
    v2v_ms: list[float] = []
    """Voice-to-voice latency of every answered turn, inside reading."""
    v2v_outside_ms: list[float] = []
    """The same from the recording."""
    stages_ms: dict[str, list[float]] = {}
    """Waterfall stage -> its time in every answered turn."""
    engine_ms: list[float] = []
    """Engine-added latency."""
    ttft_ms: list[float] = []
    """From the request (the end of the turn) to the first token; 0 when the brain had a head start."""
    ttfa_ms: list[float] = []
    """From the first clause to the first audio of the TTS."""
    stt_final_ms: list[float] = []
    """From the end of speech to the final transcript."""
    end_of_turn_ms: list[float] = []
    """From the end of speech to the decision that the turn is over."""
    greeting_ms: list[float] = []

    # -- turn-taking, by the truth of the caller's sounds --------------------------------------------------------------
    responses: Rate = Rate()
    """Caller turns answered before the caller speaks again."""
    yields: Rate = Rate()
    """Real interruptions after which the agent stops within 2 s."""
    yield_ms: list[float] = []
    false_interruptions: Rate = Rate()
    """Backchannels, tics, coughs and side speech that made the agent stop or reply; selectivity is the rest."""
    sounds: dict[str, Rate] = {}
    """The same by kind of sound, and for noise, which is not among the others."""
    hesitations: Rate = Rate()
    """Of the same sounds, those at which the agent fell silent and then went on where it was. tau-voice, which looks
    at sound alone, counts them as false interruptions, too."""
    agent_interruptions: Rate = Rate()
    """Agent segments that start during caller speech, of caller turns; can exceed 1."""
    overlap_ms: float = 0.0
    turn_scores: list[float] = []

    # -- the ear, against what the caller said -------------------------------------------------------------------------
    words: int = 0
    substituted: int = 0
    deleted: int = 0
    inserted: int = 0
    utterance_wer: list[float] = []
    negation_flips: int = 0
    """Utterances, of those in `utterance_wer`, whose negation was lost or made up."""
    entities: Rate = Rate()

    # -- the brain -----------------------------------------------------------------------------------------------------
    tools: Rate = Rate()
    """Tool validity: well-formed calls of all calls."""
    tools_done: Rate = Rate()
    """Tool success: calls that came to an end as asked, of all calls."""
    repeated: Rate = Rate()
    """Replies that say word for word what the reply before them said."""
    confusions: int = 0
    """How often the caller said that the agent makes no sense."""

    # -- audio health of the agent's channel ---------------------------------------------------------------------------
    dropouts: int = 0
    clipped: int = 0
    loops: int = 0
    cut_offs: int = 0

    # -- cost ----------------------------------------------------------------------------------------------------------
    cost_usd: float | None = None
    """None when something that was used has no price."""
    priced_usd: float = 0.0
    """What is known to have been spent."""
    unpriced: list[str] = []
    """What was used and has no price: 'deepgram', 'openai/gpt-x' ..."""
    input_tokens: int = 0
    output_tokens: int = 0
    stt_s: float = 0.0
    """Seconds of the caller's speech that the recogniser heard."""
    tts_characters: int = 0

    call_s: float = 0.0
    turns: int = 0
    """Turns of the caller that the agent took for ended."""
    repeatable: bool = False
    """On the skip-idle clock, with nothing but what runs in this process and no language model: made again with the
    same seed, the agent does the same again."""
