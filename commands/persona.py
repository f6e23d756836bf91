"""`voicebot persona`: who can call; what they do, how they sound, and more of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .help import Command, Group
from .options import Json, NoColor, Project, Quiet
from .persona_generate import generate
from .persona_try import try_

if TYPE_CHECKING:
    from voicebot.evals.bench.hearing import Score
    from voicebot.personas.persona import Persona

    from .terminal import Screen

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Simulated callers: list, show, try, generate.

    A persona is who calls: a voice, a line, manners. What they want comes from a scenario, or from the persona's own
    file. There is a library of them; a project's own are in its personas/.

    \b
    Examples:
      voicebot persona list
      voicebot persona show scottish
      voicebot persona try parent --out parent.wav
      voicebot demo --fast --persona parent
    """,
)
app.command("try", cls=Command)(try_)
app.command(cls=Command)(generate)

HERE = Path()


@app.command("list", cls=Command)
def list_(
    measure: Annotated[
        bool, typer.Option("--measure", help="Let the embedded recogniser listen to each of them.")
    ] = False,
    n: Annotated[int, typer.Option("--n", min=1, max=500, help="Sentences of each, with --measure.")] = 20,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these.")] = None,
    project: Project = HERE,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """All who can call: the project's own personas and the library's.

    "ear": the embedded recogniser understands them, or they are too hard for it and need a real one. --measure shows
    it anew: words heard wrong, of all words of sentences that the dental receptionist expects, each persona with its
    own voice on its own line. --quiet prints the names.

    \b
    Examples:
      voicebot persona list
      voicebot persona list --measure --n 40
      voicebot persona list --json
    """
    from voicebot import paths

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    chosen = _chosen(names, paths.project_root(project))
    scores = _measured(screen, list(chosen.values()), n) if measure else {}
    if as_json:
        screen.json([_facts(name, persona, scores.get(name)) for name, persona in chosen.items()])
    elif quiet:
        for name in chosen:
            screen.data(name)
    else:
        _show(screen, chosen, scores)


@app.command(cls=Command)
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A persona of the project or of the library.")],
    project: Project = HERE,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """A persona in words, and all of its settings, those included that its file leaves out.

    \b
    Examples:
      voicebot persona show thinker
      voicebot persona show thinker --quiet > personas/slow-thinker.yaml
    """
    from voicebot import paths
    from voicebot.personas import persona as personas
    from voicebot.personas import portrait, settings

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    persona = personas.find(name, paths.project_root(project))
    sentences = portrait.sentences(persona)
    if as_json:
        screen.json({"does": sentences, "file": str(persona.path), **settings.effective(persona)})
        return
    if not quiet:
        screen.talk(f"{persona.name}: {persona.about}", "bold")
        for sentence in sentences:
            screen.talk(f"  {sentence}")
        screen.talk(f"  {_where(persona)}", "dim")
        screen.talk()
    screen.plain(settings.text(persona))


def _chosen(names: list[str] | None, root: Path) -> dict[str, Persona]:
    """By the name that finds them: the project's own first, then the library's."""
    from voicebot import paths
    from voicebot.personas import persona as personas

    own = [path.stem for path in paths.yaml_files(paths.personas_dir(root))]
    wanted = names or [*own, *(name for name in personas.library() if name not in own)]
    return {name: personas.find(name, root) for name in wanted}


def _measured(screen: Screen, chosen: list[Persona], n: int) -> dict[str, Score]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from . import persona_measure

    columns = (TextColumn("listening to {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    hidden = screen.quiet or not screen.err.is_terminal
    with Progress(*columns, console=screen.err, transient=True, disable=hidden) as progress:
        task = progress.add_task("", total=len(chosen))
        scores = {}
        for persona, score in persona_measure.scores(chosen, n):
            progress.update(task, advance=1, description=persona.name)
            scores[persona.id] = score
        return scores


def _facts(name: str, persona: Persona, score: Score | None) -> dict[str, Any]:
    from voicebot.personas import portrait

    facts = {
        "name": name,
        "caller": persona.name,
        "about": persona.about,
        "from": _from(persona),
        "manner": portrait.manner(persona),
        "voice": portrait.voice(persona.voice),
        "line": portrait.line(persona.line),
        "hard": persona.hard,
        "role": persona.domain or None,
    }
    return facts | ({"n": score.n, "wer_pooled": score.pooled} if score else {})


def _show(screen: Screen, chosen: dict[str, Persona], scores: dict[str, Score]) -> None:
    from rich.text import Text

    headers = ["name", "caller", "manner", "voice", "line", "ear"]
    rows = []
    for name, persona in chosen.items():
        facts = _facts(name, persona, None)
        ear = Text("hard", "poor") if persona.hard else Text("embedded", "good")
        row = [Text(name, "bold"), *(Text(facts[key]) for key in ("caller", "manner", "voice", "line")), ear]
        rows.append([*row, *_heard(scores.get(name))])
    if scores:
        headers += ["n", "words wrong"]
    screen.table(headers, rows, right=("n", "words wrong"))
    hard = sum(persona.hard for persona in chosen.values())
    screen.talk(f"{len(chosen)} callers, {hard} of them too hard for the embedded recogniser", "dim")
    for name, score in scores.items():
        _doubt(screen, name, chosen[name], score)


def _heard(score: Score | None) -> list[Any]:
    from rich.text import Text

    from .persona_measure import MOST_WRONG

    if score is None:
        return []
    return [Text(str(score.n)), Text(f"{score.pooled:.1%}", "good" if score.pooled <= MOST_WRONG else "poor")]


def _doubt(screen: Screen, name: str, persona: Persona, score: Score) -> None:
    """A mark that is not what was measured."""
    from .persona_measure import MOST_WRONG

    if score.pooled > MOST_WRONG and not persona.hard:
        screen.warn(f"{name} should be marked 'hard: true': {score.pooled:.0%} of its words were heard wrong")


def _from(persona: Persona) -> str:
    from voicebot.personas import persona as personas

    return "library" if persona.path in personas.library().values() else "project"


def _where(persona: Persona) -> str:
    from voicebot import paths

    return "From the library." if _from(persona) == "library" else f"From {paths.shown(persona.path or Path())}."
