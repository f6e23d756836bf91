"""The registry of providers: what exists, what it needs, and which one `auto` means here and now.

Reading it imports no provider. Names in an agent file are `provider` or `provider/model`. A package adds its own with
an entry point of the group `voicebot.providers` that points to a `Provider`.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, TypeVar

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
    instant: bool = False
    """Its first sound comes at once, so that there is no use in keeping what it says."""
    base_url: str = ""
    """Where the server listens, for those that share one client."""
    store: str = ""
    """The module that knows where its models lie on this machine, for those that need one there. It has
    `why_not(model, root)`, why a model is not ready ('' when it is), and `best(default)`, which one to take."""

    @property
    def configured(self) -> bool:
        """`auto` may pick it. A server without a key cannot be known to be there: it has to be named."""
        return bool(self.key) or not self.base_url


def _server(name: str, what: str, base_url: str, key: str = "", default: str = "") -> Provider:
    """A server that speaks OpenAI's chat completions."""
    return Provider("llm", name, what, "voicebot.llm.openai", key=key, default=default, base_url=base_url)


# The best first: `auto` takes the first that can run.
BUILT_IN = (
    Provider(
        "stt",
        "deepgram",
        "Deepgram, streaming",
        "voicebot.stt.deepgram",
        package="deepgram",
        extra="cloud",
        key="DEEPGRAM_API_KEY",
        default="nova-3",
    ),
    Provider(
        "stt",
        "whisper",
        "Whisper, in this process",
        "voicebot.stt.whisper",
        package="faster_whisper",
        extra="local",
        default="base.en",
        offline=True,
        store="voicebot.models.whisper",
    ),
    Provider("stt", "sphinx", "PocketSphinx, knows the agent's own words", "voicebot.stt.sphinx", offline=True),
    Provider(
        "tts",
        "elevenlabs",
        "ElevenLabs, streaming",
        "voicebot.tts.elevenlabs",
        package="elevenlabs",
        extra="cloud",
        key="ELEVENLABS_API_KEY",
        default="flash-v2.5:rachel",
    ),
    Provider(
        "tts",
        "piper",
        "Piper, natural voices in this process",
        "voicebot.tts.piper",
        package="piper",
        extra="local",
        default="en_US-joe-medium",
        offline=True,
        store="voicebot.models.piper",
    ),
    Provider("tts", "espeak", "eSpeak NG, instant and robotic", "voicebot.tts.espeak", offline=True, instant=True),
    Provider(
        "llm",
        "openai",
        "OpenAI or any compatible server",
        "voicebot.llm.openai",
        key="OPENAI_API_KEY",
        default="gpt-4.1-mini",
    ),
    Provider(
        "llm",
        "anthropic",
        "Claude",
        "voicebot.llm.anthropic",
        package="langchain_anthropic",
        extra="cloud",
        key="ANTHROPIC_API_KEY",
        default="claude-haiku-5-5",
    ),
    Provider(
        "llm",
        "llama",
        "Llama and any GGUF model, in this process",
        "voicebot.llm.llama",
        package="llama_cpp",
        extra="llama",
        default="llama-3.1-8b-instruct",
        offline=True,
        store="voicebot.models",
    ),
    # https://console.groq.com/docs/openai
    _server("groq", "Groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", "openai/gpt-oss-20b"),
    # https://docs.mistral.ai/resources/migration-guides
    _server("mistral", "Mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", "mistral-small-latest"),
    # https://docs.together.ai/docs/inference/openai-compatibility
    _server("together", "Together", "https://api.together.ai/v1", "TOGETHER_API_KEY", "openai/gpt-oss-20b"),
    # https://openrouter.ai/docs/quickstart
    _server("openrouter", "OpenRouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", "openrouter/auto"),
    # https://docs.ollama.com/api/openai-compatibility
    _server("ollama", "Ollama on this machine", "http://localhost:11434/v1", default="llama3.1"),
    # https://github.com/ggml-org/llama.cpp/tree/master/tools/server (it serves one model and ignores the name)
    _server("llamacpp", "llama-server on this machine", "http://localhost:8080/v1", default="default"),
    # https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
    _server("vllm", "vLLM on this machine", "http://localhost:8000/v1"),
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


def why_not(provider: Provider, root: Path, *, model: str = "", keyless: str = "") -> str:
    """Why it cannot run here and now, as a clause; '' when it can. The provider called `keyless` needs no key."""
    if _is_missing(provider):
        return f'pip install "voicebot[{provider.extra}]" is missing'
    if provider.key and provider.name != keyless and config.key(provider.key, root) is None:
        return f"{provider.key} is not set"
    if provider.store:
        reason: str = importlib.import_module(provider.store).why_not(model or _default(provider), root)
        return reason
    return ""


def _default(provider: Provider) -> str:
    """The model that is meant when none is named."""
    if not provider.store:
        return provider.default
    model: str = importlib.import_module(provider.store).best(provider.default)
    return model


def _is_missing(provider: Provider) -> bool:
    return bool(provider.package) and importlib.util.find_spec(provider.package) is None


def choose(kind: Kind, names: Iterable[str], root: Path, *, keyless: str = "") -> Choice:
    """The first of `names` that can run here and now; `auto` stands for all there are, the best first.

    Raises Unavailable with what to do when none can, BadInput for an unknown name.
    """
    return runnable(kind, names, root, keyless=keyless)[0]


def runnable(kind: Kind, names: Iterable[str], root: Path, *, keyless: str = "") -> list[Choice]:
    """All of `names` that can run here and now: the first runs, the rest are fallbacks. Raises as `choose` does."""
    choices: list[Choice] = []
    skipped: list[tuple[str, str]] = []
    for name in names:
        for provider in _candidates(kind, name, choices):
            model = name.partition("/")[2] or _default(provider)
            if reason := why_not(provider, root, model=model, keyless=keyless):
                skipped.append((provider.name, reason))
                continue
            if provider.base_url and not model:
                raise BadInput(f"{name} serves many models: say which one, as {name}/MODEL.")
            choices.append(Choice(provider, model, _why(name, choices, skipped), tuple(skipped)))
    return choices or _none(kind, skipped)


def _candidates(kind: Kind, name: str, chosen: list[Choice]) -> list[Provider]:
    if name != AUTO:
        return [find(kind, name)]
    taken = {choice.provider.name for choice in chosen}
    return [found for found in providers() if found.kind == kind and found.name not in taken and found.configured]


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
    if provider.store:
        raise Unavailable(f"{skipped[0][1]}.")
    raise Unavailable(
        f"{provider.key} is not set. Put it into {config.ENV_FILE} of the project as {provider.key}=..., "
        "or into the environment."
    )


Opened = TypeVar("Opened", covariant=True)


@dataclass(frozen=True)
class Candidate(Generic[Opened]):
    """A provider that can run here and now, opened when it is first needed: once for each process and agent."""

    name: str
    open: Callable[[], Opened]
    instant: bool = False
    """See `Provider`."""


_OPEN: OrderedDict[tuple[Kind, str, str], Any] = OrderedDict()
"""What is loaded, by (kind, agent, provider): once for each process, never for each call. Those used last."""
_MOST_OPEN = 128
"""A server sees version after version of its agents: older ones go when the calls that have them are over."""


def stts(agent: Agent) -> list[Candidate[STT]]:
    """The recognisers that the agent file names, the best first, shared by all calls of this process."""
    return _candidates_of("stt", agent.voice.stt, agent)


def ttss(agent: Agent) -> list[Candidate[TTS]]:
    """The voices that the agent file names, the best first, shared by all calls of this process."""
    return _candidates_of("tts", agent.voice.tts, agent)


def _candidates_of(kind: Kind, names: Iterable[str], agent: Agent) -> list[Candidate[Any]]:
    choices = runnable(kind, names, agent.root)
    return [
        Candidate(choice.name, functools.partial(_open, choice, agent), choice.provider.instant) for choice in choices
    ]


def _open(choice: Choice, agent: Agent) -> Any:
    where = (choice.provider.kind, f"{agent.root}:{agent.sha256}", choice.name)
    if where not in _OPEN:
        _OPEN[where] = importlib.import_module(choice.provider.module).connect(agent, choice.model)
        if len(_OPEN) > _MOST_OPEN:
            _OPEN.popitem(last=False)
    _OPEN.move_to_end(where)
    return _OPEN[where]
