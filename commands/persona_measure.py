"""How well the embedded recogniser understands each persona, for `voicebot persona list --measure`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from voicebot import clock, paths, project, providers
from voicebot.agent import Agent
from voicebot.evals.bench import hearing
from voicebot.evals.bench.hearing import Score
from voicebot.personas.persona import Persona

MOST_WRONG = 0.20
"""With more of their words wrong, a caller is too hard for the embedded recogniser."""
_TEMPLATE, _EAR = "dental", "sphinx"


def scores(personas: Sequence[Persona], n: int) -> Iterator[tuple[Persona, Score]]:
    """One persona after the other, each with the same `n` sentences that the dental receptionist expects."""
    with TemporaryDirectory() as folder:
        project.create(Path(folder) / _TEMPLATE, _TEMPLATE)
        agent = Agent.load(paths.agent_files(Path(folder) / _TEMPLATE)[0])
        texts = hearing.in_vocabulary(agent, n)
        only = agent.model_copy(update={"voice": agent.voice.model_copy(update={"stt": [_EAR]})})
        for persona in personas:
            ear = providers.stts(only)[0].open()
            yield persona, clock.run(hearing.listen_to_caller(persona, ear, texts), skip_idle=True)
