"""What runs here and now: each check is tried for real, not looked up."""

from __future__ import annotations

import asyncio
import platform
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

State = Literal["ok", "absent", "broken"]
"""ok: works. absent: optional and not there; `remedy` says how to get it. broken: needed and does not work."""

PACKAGES = ("voicebot", "pipecat-ai", "langgraph", "onnxruntime", "pocketsphinx", "espeakng-loader", "duckdb")
HEAR = "yes please"
"""What the self-test says and has to hear."""
RATE_HZ = 16000


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
    yield Check("python", "Python", "ok" if wanted else "broken", f"{platform.python_version()} on {platform.platform()}")
    for name in PACKAGES:
        try:
            yield Check("python", name, "ok", metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Check("python", name, "broken", "not installed", "pip install --force-reinstall voicebot")


def extras() -> Iterator[Check]:
    """Optional parts, by what the installed package itself says they need."""
    from packaging.requirements import Requirement

    distribution = metadata.distribution("voicebot")
    requirements = [Requirement(line) for line in distribution.requires or ()]
    for extra in sorted(distribution.metadata.get_all("Provides-Extra") or ()):
        needs = [need.name for need in requirements if need.marker and need.marker.evaluate({"extra": extra})]
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
    """Microphone and loudspeaker, which only `calls play` needs so far."""
    try:
        import sounddevice
    except ImportError:
        yield Check("sound", "devices", "absent", "no sounddevice", 'pip install "voicebot[mic]"')
        return
    except OSError:
        yield Check("sound", "devices", "absent", "no PortAudio library", "apt-get install libportaudio2")
        return
    devices = list(sounddevice.query_devices())
    for kind, channels in (("microphone", "max_input_channels"), ("loudspeaker", "max_output_channels")):
        names = [device["name"] for device in devices if device[channels] > 0]
        yield Check("sound", kind, "ok" if names else "absent", names[0] if names else "none on this machine")


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
        return Check("engine", name, "broken", f"{type(error).__name__}: {error}", "pip install --force-reinstall voicebot")


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
    loaded = time.perf_counter()
    probability = await smart_turn.turn_complete(pcm, RATE_HZ)
    took_ms = (time.perf_counter() - loaded) * 1000
    return f"smart turn: complete at {probability:.2f} (loads in {(loaded - began) * 1000:.0f} ms, {took_ms:.0f} ms a look)"


async def _hear(pcm: bytes) -> str:
    from voicebot import providers
    from voicebot.agent import Agent

    agent = Agent.parse(f"name: doctor\ngreeting: say {HEAR}\nflow: {{}}\n")
    stt = providers.open_stt(agent)
    await stt.load()
    stream = stt.stream(RATE_HZ, lambda text: None)
    began = time.perf_counter()
    stream.start()
    stream.feed(pcm)
    heard = (await stream.finish()).text
    took_ms = (time.perf_counter() - began) * 1000
    await stream.close()
    if "yes" not in heard:
        raise RuntimeError(f"'{HEAR}' was heard as '{heard}'")
    return f"{stt.name} hears '{heard}' ({took_ms:.0f} ms)"


async def _off_loop(load: Callable[[], object]) -> float:
    began = time.perf_counter()
    await asyncio.get_running_loop().run_in_executor(None, load)
    return (time.perf_counter() - began) * 1000


def agents(project: Path) -> Iterator[Check]:
    """The project's agents: valid, and with what they would run here."""
    from voicebot import paths
    from voicebot.agent import Agent
    from voicebot.errors import VoicebotError

    files = paths.agent_files(project)
    if not files:
        yield Check("agents", "none here", "absent", "this folder is no project", "voicebot new front-desk")
    for path in files:
        try:
            agent = Agent.load(path)
        except VoicebotError as error:
            yield Check("agents", paths.shown(path), "broken", str(error))
        else:
            yield Check("agents", paths.shown(path), "ok", agent.name)
