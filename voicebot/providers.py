"""Placeholder by the lead until room H4's registry lands (overwrite this file)."""

from __future__ import annotations

from functools import cache
from voicebot.agent import Agent
from voicebot.brain import Brain
from voicebot.stt import STT
from voicebot.tts import TTS


def open_stt(agent: Agent) -> STT:
    from voicebot.stt.sphinx import Sphinx

    return Sphinx(agent)


@cache
def _espeak() -> TTS:
    from voicebot.tts.espeak import Espeak

    return Espeak()


def open_tts(agent: Agent) -> TTS:
    return _espeak()


def open_brain(agent: Agent, call_id: str) -> Brain:
    from voicebot.brain.session import Session

    return Session(agent, call_id)


def known(kind: str) -> set[str]:
    return {"stt": {"sphinx", "auto"}, "tts": {"espeak", "auto"}, "llm": {"openai", "auto"}}[kind]
