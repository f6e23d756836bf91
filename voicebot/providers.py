"""The registry of providers: what exists, what it needs, and which one `auto` means here and now.

Reading it imports no provider. Names in an agent file are `provider` or `provider/model`. A package adds its own with
an entry point of the group `voicebot.providers` that points to a `Provider`.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from loguru import logger

from voicebot import config
from voicebot.errors import BadInput, MissingExtra, Unavailable, did_you_mean

if TYPE_CHECKING:
    from voicebot.agent import Agent
    from voicebot.stt import STT
    from voicebot.tts import TTS

Kind = Literal["stt", "tts", "llm"]
AUTO = "auto"
GROUP = "voicebot.providers"


@dataclass(frozen=True)
class Provider:
    """One provider of one kind. `module` has a function `connect`, which makes it ready for an agent."""

    kind: Kind
    name: str
    what: str
    """One line for a person."""
    module: str
    package: str = ""
    """The package it needs besides voicebot's own, and the extra that brings it."""
    extra: str = ""
    key: str = ""
    """The setting that holds its key."""
    default: str = ""
    """The model that is meant when none is named."""
    offline: bool = False
    """Needs no network."""


# The best first: `auto` takes the first that can run.
BUILT_IN = (
    Provider("stt", "sphinx", "PocketSphinx, knows the agent's own words", "voicebot.stt.sphinx", offline=True),
    Provider("tts", "espeak", "eSpeak NG, instant and robotic", "voicebot.tts.espeak", offline=True),
    Provider(
        "llm",
        "openai",
        "OpenAI or any compatible server",
        "voicebot.llm.openai",
        key="OPENAI_API_KEY",
        default="gpt-4.1-mini",
    ),
)


@dataclass(frozen=True)
class Choice:
    """Which provider runs, and why."""

    provider: Provider
    model: str
    """What stands behind the slash, else the provider's default; '' when it has none."""
    why: str
    skipped: tuple[tuple[str, str], ...] = ()
    """(name, why not) of those that were tried first."""

    @property
    def name(self) -> str:
        return f"{self.provider.name}/{self.model}" if self.model else self.provider.name


@cache
def providers() -> tuple[Provider, ...]:
    """All providers, those of other packages last. One of another package replaces a built-in one of the same name."""
    found = {(provider.kind, provider.name): provider for provider in BUILT_IN}
    for entry in entry_points(group=GROUP):
        try:
            provider = entry.load()
            found[provider.kind, provider.name] = provider
        except Exception as error:  # noqa: BLE001  # somebody else's broken package must not stop every command
            logger.warning(f"provider '{entry.name}' ({entry.value}) cannot be used: {type(error).__name__}: {error}")
    return tuple(found.values())


def known(kind: Kind) -> set[str]:
    """The names that an agent file may use for this kind."""
    return {AUTO} | {provider.name for provider in providers() if provider.kind == kind}


def find(kind: Kind, name: str) -> Provider:
    """The provider `name` ('openai', 'openai/gpt-4.1-mini'). Raises BadInput."""
    wanted = name.partition("/")[0]
    for provider in providers():
        if provider.kind == kind and provider.name == wanted:
            return provider
    raise BadInput(f"unknown {kind} provider '{wanted}'.{did_you_mean(wanted, known(kind))}")


def why_not(provider: Provider, root: Path, *, needs_key: bool = True) -> str:
    """Why it cannot run here and now, as a clause; '' when it can."""
    if _is_missing(provider):
        return f'pip install "voicebot[{provider.extra}]" is missing'
    if provider.key and needs_key and config.key(provider.key, root) is None:
        return f"{provider.key} is not set"
    return ""


def _is_missing(provider: Provider) -> bool:
    return bool(provider.package) and importlib.util.find_spec(provider.package) is None


def choose(kind: Kind, names: Iterable[str], root: Path, *, needs_key: bool = True) -> Choice:
    """The first of `names` that can run here and now; `auto` stands for all there are, the best first.

    Raises Unavailable with what to do when none can, BadInput for an unknown name.
    """
    return runnable(kind, names, root, needs_key=needs_key)[0]


def runnable(kind: Kind, names: Iterable[str], root: Path, *, needs_key: bool = True) -> list[Choice]:
    """All of `names` that can run here and now: the first runs, the rest are fallbacks. Raises as `choose` does."""
    choices: list[Choice] = []
    skipped: list[tuple[str, str]] = []
    for name in names:
        for provider in _candidates(kind, name, choices):
            if reason := why_not(provider, root, needs_key=needs_key):
                skipped.append((provider.name, reason))
                continue
            model = name.partition("/")[2] or provider.default
            choices.append(Choice(provider, model, _why(name, choices, skipped), tuple(skipped)))
    return choices or _none(kind, skipped)


def _candidates(kind: Kind, name: str, chosen: list[Choice]) -> list[Provider]:
    if name != AUTO:
        return [find(kind, name)]
    taken = {choice.provider.name for choice in chosen}
    return [provider for provider in providers() if provider.kind == kind and provider.name not in taken]


def _why(name: str, before: list[Choice], skipped: list[tuple[str, str]]) -> str:
    if before:
        return f"if {before[-1].name} fails"
    if skipped:
        return "the first that can run here"
    return "the best that can run here" if name == AUTO else "named first"


def _none(kind: Kind, skipped: list[tuple[str, str]]) -> NoReturn:
    if len(skipped) > 1 or not skipped:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped)
        raise Unavailable(f"no {kind} provider of the agent can run here ({reasons}).")
    provider = find(kind, skipped[0][0])
    if _is_missing(provider):
        raise MissingExtra(provider.name, provider.extra)
    raise Unavailable(
        f"{provider.key} is not set. Put it into {config.ENV_FILE} of the project as {provider.key}=..., "
        "or into the environment."
    )


_OPEN: dict[tuple[str, str, str], Any] = {}
"""What is loaded, by (kind, agent, provider): once for each process, never for each call."""


def open_stt(agent: Agent) -> STT:
    """The ear that the agent file names, shared by all calls of this process."""
    stt: STT = _open("stt", agent.voice.stt, agent)
    return stt


def open_tts(agent: Agent) -> TTS:
    """The voice that the agent file names, shared by all calls of this process."""
    tts: TTS = _open("tts", agent.voice.tts, agent)
    return tts


def _open(kind: Kind, names: Iterable[str], agent: Agent) -> Any:
    choice = choose(kind, names, agent.root)
    where = (kind, f"{agent.root}:{agent.sha256}", choice.name)
    if where not in _OPEN:
        _OPEN[where] = importlib.import_module(choice.provider.module).connect(agent, choice.model)
    return _OPEN[where]
