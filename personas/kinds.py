"""What decides the caller's words: rules, a script, a language model, or a recorded call.

This is the key `caller` of scenarios.

Whoever it is, the persona is the same: voice, line and manners, and when to speak (`caller.py`). Only *what* is said
differs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from voicebot.agent.values import Part

from .domain import Pattern


class Rules(Part):
    """A careful caller who answers what is asked, checks what is confirmed and objects to what is wrong."""

    kind: Literal["rules"] = "rules"
    """By the patterns and phrases of the domain file. The only kind that needs one."""


class Interrupt(Part):
    """When a script's caller cuts the agent short: one of the two, or neither (`interrupt: true`)."""

    after_ms: int | None = Field(default=None, ge=0)
    """So long after the agent began its reply."""
    after_words: int | None = Field(default=None, ge=1)
    """As soon as so many words of it were heard."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Interrupt:
        if self.after_ms is not None and self.after_words is not None:
            raise ValueError("'after_ms' and 'after_words' are both given. Take one of them out.")
        return self


def _by_default(value: Any) -> Any:
    return {True: {}, False: None}[value] if isinstance(value, bool) else value


class Turn(Part):
    """One thing that a script's caller does."""

    say: str = ""
    """The words. `{day}` stands for the caller's way of saying that fact."""
    after: Pattern | None = None
    """What the agent must have said since the caller last spoke: a regular expression over lower-case words with
    numbers as digits. Until then the caller is silent. Without it, any reply will do."""
    interrupt: Annotated[Interrupt | None, BeforeValidator(_by_default)] = None
    """Do not wait for the end of the agent's reply: cut in as soon as `after` was heard (without it: three words), or
    as `after_ms` or `after_words` say."""
    silence_ms: int | None = Field(default=None, ge=0, le=120_000)
    """How long the caller is silent first, instead of their reaction time."""
    hang_up: bool = False
    """Hang up, after the words if there are any."""

    @model_validator(mode="after")
    def _does_something(self) -> Turn:
        if not (self.say or self.hang_up):
            raise ValueError("nothing is done here. Add 'say' or 'hang_up'.")
        if self.interrupt and self.silence_ms is not None:
            raise ValueError("'silence_ms' waits for the end of a reply, 'interrupt' does not. Take one of them out.")
        return self


class Script(Part):
    """A caller who does one thing after the other, whatever the agent makes of it."""

    kind: Literal["script"] = "script"
    """Turn by turn, from the agent's greeting on. After the last turn the caller listens until the agent hangs up, or
    hangs up themselves once the agent has nothing more to say."""
    turns: list[Turn] = Field(min_length=1)
    """What is done, in this order."""
    waits: int = Field(default=3, ge=1)
    """Replies without what `after` waits for that are listened to; then the caller gives up, which is told among the
    caller's confusions."""


class Improvised(Part):
    """A caller whose words a language model finds: freer than rules, and never twice quite the same."""

    kind: Literal["llm"] = "llm"
    """It is told who the persona is, what they want and know, and what was heard so far; nothing else."""
    model: str = Field(pattern=r"^[^/\s]+/\S+$")
    """'provider/model', as in an agent file."""
    base_url: str | None = None
    """A server that speaks OpenAI's protocol, for models of 'openai/...'."""
    temperature: float = Field(default=0.7, ge=0, le=2)
    """How freely it speaks."""


class Recording(Part):
    """The caller of a recorded call once more: the same sound, at the same points of the conversation."""

    kind: Literal["recording"] = "recording"
    """Each utterance follows the reply that it followed in the recording, after the recorded pause; interruptions and
    murmurs come as long after the beginning of a reply as they did. No speech recognition takes part."""
    call: Path
    """The folder of the recorded call, relative to the project's: call.wav, events.jsonl, and truth.jsonl if there is
    one. Its line is in the recording: no other one is added."""

    def in_project(self, root: Path) -> Recording:
        """The same, wherever the call is made from."""
        return self.model_copy(update={"call": root / self.call})


def _by_name(value: Any) -> Any:
    """'rules' is short for {kind: rules}; a mapping without `kind` is told by its keys."""
    if isinstance(value, str):
        return {"kind": value}
    if isinstance(value, dict) and "kind" not in value:
        for key, kind in (("turns", "script"), ("model", "llm"), ("call", "recording")):
            if key in value:
                return value | {"kind": kind}
    return value


CallerKind = Annotated[
    Annotated[Rules | Script | Improvised | Recording, Field(discriminator="kind")], BeforeValidator(_by_name)
]
"""`caller: rules`, `caller: {turns: [...]}`, `caller: {model: openai/gpt-4.1-mini}`, `caller: {call: recordings/x}`."""
