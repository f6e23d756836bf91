"""`voicebot bench stt`: how well recognisers understand callers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import AgentFile, Json, NoColor, Quiet

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from voicebot.agent import Agent
    from voicebot.evals.bench.hearing import Score
    from voicebot.personas.persona import Voice
    from voicebot.providers import Candidate
    from voicebot.stt import STT

    from .terminal import Screen

WER_TARGET, FINAL_TARGET_MS = 0.05, 300.0
"""What pooled word errors and the median of the final transcript should stay below."""
N, N_STRESS = 60, 20


def stt(
    template: Annotated[str, typer.Option(help="Whose agent and callers: dental or orders.")] = "dental",
    n: Annotated[
        int | None, typer.Option("--n", min=1, max=1000, help="Utterances of each kind.", show_default="60, or 20")
    ] = None,
    errors: Annotated[bool, typer.Option("--errors", help="Also show what was misheard.")] = False,
    by_voice: Annotated[bool, typer.Option("--voices", help="Compare eSpeak's voices instead.")] = False,
    stress: Annotated[
        bool, typer.Option("--stress", help="Fast and slow speech, accents, noise, the telephone instead.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Your recordings instead: WAV files, each with a .txt.")
    ] = None,
    recognisers: Annotated[
        list[str] | None, typer.Option("--stt", metavar="NAME", help="As in an agent file; again for more.")
    ] = None,
    agent: AgentFile = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the figures as bars, an SVG file.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """How well recognisers understand callers: the simulated ones of a template, or your recordings.

    In vocabulary: sentences drawn from what the agent's flow understands. Free: hand-written phrasings that stand in
    no agent file. Each is spoken by the voices of the template's callers in turn, clean and through a telephone.

    WER: words wrong, of all words (pooled) and as the average of the utterances (mean), numbers and contractions
    written alike. Entities: numbers, names and codes that were heard. Targets: pooled WER below 5 %, the final
    transcript within 300 ms of the end of speech.

    \b
    Examples:
      voicebot bench stt
      voicebot bench stt --template orders --errors
      voicebot bench stt --stress --plot stress.svg
      voicebot bench stt --data recordings/ --stt whisper/base.en --stt sphinx --agent ava
    """
    from tempfile import TemporaryDirectory

    from voicebot.errors import BadInput

    from .terminal import Screen

    if sum((by_voice, stress, data is not None)) > 1:
        raise BadInput("--voices, --stress and --data exclude each other.")
    screen = Screen(quiet=quiet, no_color=no_color)
    with TemporaryDirectory() as folder, screen.waiting("listening to callers ..."):
        if data is not None:
            scores = _recorded(data, agent, recognisers)
        else:
            found, voices = _callers(template, Path(folder) / template, agent)
            kind = "voices" if by_voice else "stress" if stress else ""
            scores = _simulated(found, voices, template, n or (N_STRESS if stress else N), kind, recognisers)
    if plot is not None:
        _plot(plot, scores)
    if as_json:
        screen.json([_row(score) for score in scores])
        return
    _show(screen, scores, named=bool(recognisers), errors=errors)
    if plot is not None:
        screen.talk(f"wrote {plot}", "good")


def _callers(template: str, root: Path, agent: str | None) -> tuple[Agent, list[Voice]]:
    from voicebot import paths, project
    from voicebot.agent import Agent, find_agent
    from voicebot.personas.persona import Persona

    project.create(root, template)
    file = find_agent(agent) if agent else paths.agent_files(root)[0]
    callers = [Persona.load(path) for path in paths.yaml_files(paths.personas_dir(root))]
    return Agent.load(file), [caller.voice for caller in callers]


def _recorded(folder: Path, agent: str | None, names: list[str] | None) -> list[Score]:
    """The words that the embedded recogniser can know are those of the agent, of which there is one in a project."""
    from voicebot import paths
    from voicebot.agent import Agent, find_agent
    from voicebot.evals.bench import hearing, recordings

    clips = recordings.read(folder)
    if agent or len(paths.agent_files(paths.project_root())) == 1:
        chosen = Agent.load(find_agent(agent))
    else:
        document = '{"name": "bench", "brain": {"llm": "openai/none", "prompt": "Only the ear is measured."}}'
        chosen = Agent.parse(document, paths.project_root(), "the recognisers")

    async def measure(open_stt: Candidate[STT]) -> list[Score]:
        return [await hearing.listen_to(folder.name, open_stt.open(), clips)]

    return _each(chosen, names, measure)


def _simulated(
    agent: Agent, voices: list[Voice], template: str, n: int, kind: str, names: list[str] | None
) -> list[Score]:
    from voicebot.evals.bench import conditions, hearing

    mixed = [*hearing.in_vocabulary(agent, n // 2), *hearing.free_phrasings(template, "tune")[: n - n // 2]]
    lines = (conditions.Condition("16 kHz"), conditions.TELEPHONE)

    async def plain(ear: STT) -> list[Score]:
        kinds = {
            "in vocabulary": hearing.in_vocabulary(agent, n),
            "free, seen while tuning": hearing.free_phrasings(template, "tune")[:n],
            "free, held out": hearing.free_phrasings(template, "held_out")[:n],
        }
        return [await hearing.listen(what, ear, texts, voices, line) for what, texts in kinds.items() for line in lines]

    async def each_voice(ear: STT) -> list[Score]:
        return [
            await hearing.listen(f"{voice.engine}, {voice.rate_wpm} wpm", ear, mixed, [voice], line)
            for voice in hearing.VOICES
            for line in lines
        ]

    async def stressed(ear: STT) -> list[Score]:
        return [await hearing.listen("half free", ear, mixed, voices, line) for line in conditions.CONDITIONS]

    measures = {"voices": each_voice, "stress": stressed}
    measure = measures.get(kind, plain)
    return _each(agent, names, lambda candidate: measure(candidate.open()))


def _each(agent: Agent, names: list[str] | None, measure: Any) -> list[Score]:
    """What `measure` finds for each recogniser; without names for the agent's own. Waiting is skipped where no server
    is asked, whose time is not ours to skip."""
    from voicebot import clock, providers

    scores: list[Score] = []
    for wanted in [[name] for name in names] if names else [agent.voice.stt]:
        asked = agent.model_copy(update={"voice": agent.voice.model_copy(update={"stt": wanted})})
        candidate = providers.stts(asked)[0]
        offline = providers.find("stt", candidate.name).offline
        work: Coroutine[Any, Any, list[Score]] = measure(candidate)
        scores += clock.run(work, skip_idle=offline)
    return scores


def _row(score: Score) -> dict[str, Any]:
    from dataclasses import asdict

    from voicebot.evals.bench.hearing import FEW
    from voicebot.evals.words.entities import accuracy
    from voicebot.latency import percentiles

    final = percentiles(each.final_ms for each in score.heard)
    assert final is not None
    kinds = {kind: {"n": len(found), "accuracy": accuracy(found)} for kind, found in score.by_kind.items()}
    return {
        "stt": score.stt, "utterances": score.what, "line": score.line, "n": score.n, "few": score.n < FEW,
        "wer_pooled": score.pooled, "wer_mean": score.mean, "negation_flips": score.flips,
        "entity_accuracy": accuracy(score.entities()), "entities": kinds,
        "real_time_factor": score.real_time_factor, "final_p50_ms": final.p50, "final_p95_ms": final.p95,
        "targets": {"wer_pooled": WER_TARGET, "final_p50_ms": FINAL_TARGET_MS},
        "heard": [asdict(each) for each in score.heard],
    }  # fmt: skip


def _show(screen: Screen, scores: list[Score], *, named: bool, errors: bool) -> None:
    headers = ["utterances", "line", "n", "WER < 5 %", "mean", "flips", "entities", "rtf", "final < 300 ms", "p95"]
    rows = [_cells(score) for score in scores]
    if named:
        headers, rows = ["stt", *headers], [[score.stt, *row] for score, row in zip(scores, rows, strict=True)]
    screen.table(headers, rows, right=headers[-8:])
    _remark(screen, scores)
    for score in scores if errors else ():
        for each in score.heard:
            missed = ", ".join(entity.text for entity in each.entities if not entity.heard)
            if each.errors.rate:
                said = f"said '{each.said}', heard '{each.heard}'" + (f", missed {missed}" if missed else "")
                screen.data(f"{score.what}, {score.line}, {each.voice}: {said}")


def _cells(score: Score) -> list[Any]:
    from rich.text import Text

    row = _row(score)
    kinds = " ".join(f"{kind}s {each['accuracy']:.0%}" for kind, each in row["entities"].items())
    wer, final_ms = row["wer_pooled"], row["final_p50_ms"]
    return [
        score.what, score.line, Text(f"{score.n}, few", "poor") if row["few"] else str(score.n),
        Text(f"{wer:.1%}", "good" if wer < WER_TARGET else "poor"), f"{score.mean:.1%}", str(score.flips), kinds or "-",
        f"{score.real_time_factor:.2f}", Text(f"{final_ms:.0f} ms", "good" if final_ms < FINAL_TARGET_MS else "poor"),
        f"{row['final_p95_ms']:.0f} ms",
    ]  # fmt: skip


def _remark(screen: Screen, scores: list[Score]) -> None:
    from voicebot.evals.bench.hearing import FEW

    if any(score.n < FEW for score in scores):
        screen.talk(f"few: with less than {FEW} utterances the figures say little", "dim")
    screen.talk("targets: pooled WER < 5 %, final transcript (median) < 300 ms after the end of speech", "dim")


def _plot(path: Path, scores: list[Score]) -> None:
    from voicebot.errors import BadInput
    from voicebot.evals.bench import chart

    rows = [_row(score) for score in scores]
    labels = [f"{score.stt}: {score.what}, {score.line}" for score in scores]
    wers, finals = [row["wer_pooled"] for row in rows], [row["final_p50_ms"] for row in rows]
    panels = [
        chart.Panel("words wrong", wers, [f"{wer:.1%}" for wer in wers], WER_TARGET, "below 5 %"),
        chart.Panel(
            "final transcript, median", finals, [f"{ms:.0f} ms" for ms in finals], FINAL_TARGET_MS, "below 300 ms"
        ),
    ]
    try:
        path.write_text(chart.svg("Speech recognition", labels, panels), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--plot {path}: {error.strerror}.") from None
