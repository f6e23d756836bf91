"""What runs here and now: each check is tried for real, not looked up."""

from __future__ import annotations

import asyncio
import platform
import re
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from voicebot.agent import Agent
    from voicebot.transports.cards import Cards, Device, Side

State = Literal["ok", "absent", "broken"]
"""ok: works. absent: optional and not there; `remedy` says how to get it. broken: needed and does not work."""

EXTRAS_IN_USE = ("mic",)
"""The other extras hold what later versions need, so that all resolve together from the start."""
PACKAGES = ("voicebot", "pipecat-ai", "langgraph", "onnxruntime", "pocketsphinx", "espeakng-loader", "duckdb")
HEAR = "yes please"
"""What the self-test says and has to hear."""
UNSAID = ("no thank you", "tomorrow at nine", "i need some help")
"""What it could hear instead."""
RATE_HZ = 16000
PULL = ": voicebot models pull "
"""What a reason ends with when a model has to be fetched: the remedy."""
_SIDES: dict[Side, str] = {"input": "microphone", "output": "loudspeaker"}


@dataclass(frozen=True)
class Check:
    section: str
    name: str
    state: State
    detail: str = ""
    remedy: str = ""


def packages() -> Iterator[Check]:
    """Python and what voicebot is built on."""
    wanted = sys.version_info >= (3, 11)
    yield Check(
        "python", "Python", "ok" if wanted else "broken", f"{platform.python_version()} on {platform.platform()}"
    )
    for name in PACKAGES:
        try:
            yield Check("python", name, "ok", metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Check("python", name, "broken", "not installed", "pip install --force-reinstall voicebot")


def extras() -> Iterator[Check]:
    """Optional parts that this version uses, by what the installed package itself says they need."""
    distribution = metadata.distribution("voicebot")
    for extra in EXTRAS_IN_USE:
        needs = [line for line in distribution.requires or () if re.search(f"extra == ['\"]{extra}['\"]", line)]
        needs = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in needs]
        missing = [name for name in needs if not _installed(name)]
        if missing:
            detail = f"without {', '.join(missing)}"
            yield Check("extras", extra, "absent", detail, f'pip install "voicebot[{extra}]"')
        else:
            yield Check("extras", extra, "ok", ", ".join(needs))


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def sound() -> Iterator[Check]:
    """The sound cards, and whether microphone, loudspeaker and echo cancellation of `voicebot talk` work."""
    from voicebot.errors import VoicebotError
    from voicebot.transports import cards

    try:
        found = cards.cards()
        devices = found.devices()
        yield Check("sound", "package", "ok", found.package)
        pair = (cards.choose(devices, "input", None), cards.choose(devices, "output", None))
    except VoicebotError as error:
        yield Check("sound", "sound card", "absent", str(error), "voicebot talk --text works without")
        return
    for device in devices:
        can = " and ".join(what for side, what in _SIDES.items() if device.can(side))
        default = " (default)" if device.default else ""
        yield Check("sound", f"device {device.index}", "ok", f"{device.name}: {can}, {device.rate_hz} Hz{default}")
    yield _try_card(found, pair)
    yield _try_echo()


def _try_card(found: Cards, pair: tuple[Device, Device]) -> Check:
    """Half a second of silence out, half a second of whatever is to be heard in."""
    from voicebot.errors import Unavailable
    from voicebot.media.duplex import level_db

    heard = bytearray()
    try:
        out = found.speak(pair[1], RATE_HZ, RATE_HZ // 50, bytes)
        into = found.hear(pair[0], RATE_HZ, RATE_HZ // 50, heard.extend)
    except Unavailable as error:
        return Check("sound", "tried", "absent", str(error))
    time.sleep(0.5)
    out.close()
    into.close()
    if not heard:
        return Check("sound", "tried", "absent", f"'{pair[0].name}' gives no sound", "choose another: talk --input")
    delay_ms = (out.latency_s + into.latency_s) * 1000
    said = f"'{pair[0].name}' hears {level_db(bytes(heard)):.0f} dB; the card itself delays by {delay_ms:.0f} ms"
    return Check("sound", "tried", "ok", said)


def _try_echo() -> Check:
    from voicebot.errors import MissingExtra
    from voicebot.media.echo import EchoCanceller

    try:
        EchoCanceller(RATE_HZ).microphone(bytes(RATE_HZ // 50))
    except MissingExtra as error:
        return Check("sound", "echo", "absent", "no echo cancellation: use --headphones", str(error))
    return Check("sound", "echo", "ok", "the agent's voice is taken out of the microphone")


async def engine() -> list[Check]:
    """The parts every spoken call needs: something is said, found in the sound, heard back and judged complete."""
    said: list[bytes] = []
    checks = [await _timed("text to speech", lambda: _speak(said))]
    if not said:
        return checks
    for name, part in (("voice activity", _find_speech), ("end of turn", _judge), ("speech to text", _hear)):
        checks.append(await _timed(name, lambda part=part: part(said[0])))  # type: ignore[misc]  # bound per round
    return checks


async def _timed(name: str, part: Callable[[], Awaitable[str]]) -> Check:
    try:
        return Check("engine", name, "ok", await part())
    except Exception as error:  # noqa: BLE001 - whatever breaks here is the finding
        return Check(
            "engine", name, "broken", f"{type(error).__name__}: {error}", "pip install --force-reinstall voicebot"
        )


async def _speak(said: list[bytes]) -> str:
    import numpy as np
    import soxr

    from voicebot.tts.espeak import Espeak

    espeak = Espeak("en-us+f2")
    await espeak.load()
    began = time.perf_counter()
    chunks = [chunk async for chunk in espeak.speak(HEAR)]
    took_ms = (time.perf_counter() - began) * 1000
    samples = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), np.int16)
    if not samples.any():
        raise RuntimeError("silence came out")
    at_rate = np.asarray(soxr.resample(samples, chunks[0].rate_hz, RATE_HZ), np.int16)
    said.append(bytes(RATE_HZ) + at_rate.tobytes() + bytes(2 * RATE_HZ))
    return f"espeak says '{HEAR}' ({len(at_rate) / RATE_HZ:.1f} s of sound in {took_ms:.0f} ms)"


async def _find_speech(pcm: bytes) -> str:
    from voicebot.media import to_floats, vad

    loading_ms = await _off_loop(vad.silero)
    heard: list[float] = []
    stream = vad.Vad(RATE_HZ, heard.append)
    began = time.perf_counter()
    stream.feed(to_floats(pcm))
    took_ms = (time.perf_counter() - began) * 1000
    stream.close()
    speech = sum(probability > 0.5 for probability in heard)
    if not speech:
        raise RuntimeError("no speech found in speech")
    return f"silero finds it (loads in {loading_ms:.0f} ms, {took_ms / len(heard):.2f} ms a window)"


async def _judge(pcm: bytes) -> str:
    from voicebot.turns import smart_turn

    began = time.perf_counter()
    await smart_turn.load()
    await smart_turn.turn_complete(pcm, RATE_HZ)  # the first look also warms up
    loaded = time.perf_counter()
    probability = await smart_turn.turn_complete(pcm, RATE_HZ)
    took_ms, loading_ms = (time.perf_counter() - loaded) * 1000, (loaded - began) * 1000
    return f"smart turn: complete at {probability:.2f} (loads in {loading_ms:.0f} ms, {took_ms:.0f} ms a look)"


async def _hear(pcm: bytes) -> str:
    from voicebot.stt.sphinx import Sphinx

    sphinx = Sphinx([HEAR, *UNSAID])
    await sphinx.load()
    stream = sphinx.stream(RATE_HZ, lambda text: None)
    began = time.perf_counter()
    stream.start()
    stream.feed(pcm)
    heard = (await stream.finish()).text
    took_ms = (time.perf_counter() - began) * 1000
    await stream.close()
    if heard != HEAR:
        raise RuntimeError(f"'{HEAR}' was heard as '{heard}'")
    return f"sphinx hears '{heard}' ({took_ms:.0f} ms)"


async def _off_loop(load: Callable[[], object]) -> float:
    began = time.perf_counter()
    await asyncio.get_running_loop().run_in_executor(None, load)
    return (time.perf_counter() - began) * 1000


def available(project: Path) -> Iterator[Check]:
    """Every provider: whether it can run here, by its package and its key, which is never shown."""
    from voicebot import providers

    for provider in providers.providers():
        name = f"{provider.kind} {provider.name}"
        reason = providers.why_not(provider, project)
        key = f", {provider.key} is set" if provider.key and not reason else ""
        key += "" if provider.configured else ", for agents that name it"
        detail = f"{provider.what}{key}" if not reason else f"{provider.what}: {reason.partition(PULL)[0]}"
        ready = not reason and provider.configured
        yield Check("providers", name, "ok" if ready else "absent", detail, _remedy(reason))


def _remedy(reason: str) -> str:
    if "is not set" in reason:
        return "put it into .env or the environment"
    return reason.rpartition(": ")[2] if PULL in reason else reason.removesuffix(" is missing")


def agents(project: Path) -> Iterator[Check]:
    """The project's agents: valid, and with what they would run here and why."""
    from voicebot import paths
    from voicebot.agent import Agent
    from voicebot.errors import VoicebotError

    files = paths.agent_files(project)
    if not files:
        yield Check("agents", "none here", "absent", "this folder is no project", "voicebot new front-desk")
    for path in files:
        try:
            agent = Agent.load(path)
            yield Check("agents", paths.shown(path), "ok", f"{agent.name}: {', '.join(_choices(agent))}")
        except VoicebotError as error:
            yield Check("agents", paths.shown(path), "broken", str(error))


def _choices(agent: Agent) -> Iterator[str]:
    """'stt sphinx (the best that can run here)'. Raises Unavailable when nothing of a list can run."""
    from voicebot import providers

    wanted: list[tuple[providers.Kind, list[str]]] = [("stt", agent.voice.stt), ("tts", agent.voice.tts)]
    if agent.brain.llm:
        wanted.append(("llm", agent.brain.llm))
    for kind, names in wanted:
        choice = providers.choose(kind, names, agent.root, keyless="openai" if agent.brain.base_url else "")
        skipped = "".join(f"; not {name}: {reason}" for name, reason in choice.skipped)
        yield f"{kind} {choice.name} ({choice.why}{skipped})"
    if agent.brain.graph:
        yield f"brain {agent.brain.graph} (brings its own models)"
    elif not agent.brain.llm:
        yield "brain flow (needs no model)"
