"""`voicebot bench`: measures of the parts on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .bench_guardrails import guardrails
from .bench_talk import talk
from .bench_tts import tts
from .help import Command, Group
from .options import Json, NoColor, Quiet

if TYPE_CHECKING:
    from voicebot.agent import Agent
    from voicebot.evals.hearing import Score
    from voicebot.personas.persona import Voice

bench = typer.Typer(cls=Group, no_args_is_help=True, add_completion=False, help="Measure the parts on this machine.")
bench.command("guardrails", cls=Command)(guardrails)
bench.command("talk", cls=Command)(talk)
bench.command("tts", cls=Command)(tts)
LINES = ((16000, False, "16 kHz"), (8000, True, "8 kHz telephone"))


@bench.command("stt", cls=Command)
def stt(
    template: Annotated[str, typer.Option(help="Whose agent and callers: dental or orders.")] = "dental",
    n: Annotated[int, typer.Option("--n", min=1, max=1000, help="Utterances of each kind.")] = 60,
    errors: Annotated[bool, typer.Option("--errors", help="Also show what was misheard.")] = False,
    by_voice: Annotated[bool, typer.Option("--voices", help="Compare eSpeak's voices instead.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """How well the embedded recogniser understands the simulated callers of a template.

    In vocabulary: sentences drawn from what the agent's flow understands. Free: hand-written phrasings that stand in
    no agent file. Each is spoken by the voices of the template's callers in turn, clean and through a telephone.

    \b
    Examples:
      voicebot bench stt
      voicebot bench stt --template orders --errors
      voicebot bench stt --voices --n 20
    """
    from tempfile import TemporaryDirectory

    from voicebot import clock

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    with TemporaryDirectory() as folder, screen.waiting("listening to simulated callers ..."):
        agent, voices = _callers(template, Path(folder) / template)
        measure = _by_voice(agent, template, n) if by_voice else _measure(agent, voices, template, n)
        scores = clock.run(measure, skip_idle=True)
    if as_json:
        screen.json([_row(name, score) for name, score in scores])
        return
    _show(screen, scores, errors=errors)


def _callers(template: str, root: Path) -> tuple[Agent, list[Voice]]:
    from voicebot import paths, project
    from voicebot.agent import Agent
    from voicebot.personas.persona import Persona

    project.create(root, template)
    (agent,) = paths.agent_files(root)
    callers = [Persona.load(path) for path in paths.yaml_files(paths.personas_dir(root))]
    return Agent.load(agent), [caller.voice for caller in callers]


async def _measure(agent: Agent, voices: list[Voice], template: str, n: int) -> list[tuple[str, Score]]:
    from voicebot.evals import hearing
    from voicebot.providers import stts

    recogniser = stts(agent)[0].open()
    kinds = {
        "in vocabulary": hearing.in_vocabulary(agent, n),
        "free, seen while tuning": hearing.free_phrasings(template, "tune")[:n],
        "free, held out": hearing.free_phrasings(template, "held_out")[:n],
    }
    scores = []
    for what, texts in kinds.items():
        for rate_hz, telephone, line in LINES:
            scores.append((line, await hearing.listen(what, recogniser, texts, voices, rate_hz, telephone)))
    return scores


async def _by_voice(agent: Agent, template: str, n: int) -> list[tuple[str, Score]]:
    """Half of the utterances are in the vocabulary, half are free."""
    from voicebot.evals import hearing
    from voicebot.providers import stts

    recogniser = stts(agent)[0].open()
    texts = [*hearing.in_vocabulary(agent, n // 2), *hearing.free_phrasings(template, "tune")[: n - n // 2]]
    return [
        (
            line,
            await hearing.listen(f"{voice.engine}, {voice.rate_wpm} wpm", recogniser, texts, [voice], rate_hz, phone),
        )
        for voice in hearing.VOICES
        for rate_hz, phone, line in LINES
    ]


def _row(line: str, score: Score) -> dict[str, object]:
    from dataclasses import asdict

    from voicebot.latency import percentiles

    final = percentiles(each.final_ms for each in score.heard)
    assert final is not None
    return {
        "utterances": score.what, "line": line, "n": score.n, "wer_pooled": score.pooled, "wer_mean": score.mean,
        "negation_flips": score.flips, "real_time_factor": score.real_time_factor, "final_p50_ms": final.p50,
        "final_p95_ms": final.p95, "heard": [asdict(each) for each in score.heard],
    }  # fmt: skip


def _show(screen: object, scores: list[tuple[str, Score]], *, errors: bool) -> None:
    from .terminal import Screen

    assert isinstance(screen, Screen)
    headers = ("utterances", "line", "n", "WER pooled", "mean", "flips", "real-time factor", "final p50", "p95")
    rows = []
    for line, score in scores:
        row = _row(line, score)
        rows.append(
            (
                score.what, line, str(score.n), f"{score.pooled:.1%}", f"{score.mean:.1%}", str(score.flips),
                f"{score.real_time_factor:.2f}", f"{row['final_p50_ms']:.0f} ms", f"{row['final_p95_ms']:.0f} ms",
            )
        )  # fmt: skip
    screen.table(headers, rows, right=headers[2:])
    if not errors:
        return
    for line, score in scores:
        for each in score.heard:
            if each.errors.rate:
                screen.data(f"{score.what}, {line}, {each.voice}: said '{each.said}', heard '{each.heard}'")
