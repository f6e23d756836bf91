"""`voicebot persona generate`: new simulated callers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Json, NoColor, Quiet

if TYPE_CHECKING:
    from voicebot.personas.generate import Drawn

    from .terminal import Screen


def generate(
    n: Annotated[int, typer.Option("--n", min=1, help="How many.")] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed, the same personas.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Write a file for each; without it, print them.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
    llm: Annotated[
        str | None, typer.Option("--llm", metavar="MODEL", help="A language model writes their manners: openai/...")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option("--base-url", metavar="URL", help="The model's server, for openai/MODEL elsewhere.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """New simulated callers: a seeded sample over voices, lines and manners, offline.

    The voices are ones that the embedded recogniser understands; the names are ones that the templates' agents know.
    With --llm a language model writes who they are, their habits and their phrasings; what it writes is checked like
    any other persona file. The model is asked anew each time, so then a seed only fixes names, voices and lines.

    \b
    Examples:
      voicebot persona generate --n 3
      voicebot persona generate --n 10 --seed 7 --out personas/
      voicebot persona generate --n 5 --llm openai/gpt-4.1-mini --out personas/
    """
    from voicebot.errors import BadInput

    from .terminal import Screen

    if base_url and not llm:
        raise BadInput("--base-url is the server of a model. Name the model: --llm openai/NAME.")
    screen = Screen(quiet=quiet, no_color=no_color)
    with screen.waiting("inventing callers ..."):
        made = _made(n, seed, llm, base_url)
    written = _write(out, made, force=force) if out else []
    if as_json:
        screen.json([_facts(each, out) for each in made])
    elif not out:
        screen.plain("---\n".join(each.text for each in made))
    else:
        _tell(screen, made, written)


def _made(n: int, seed: int, llm: str | None, base_url: str | None) -> list[Drawn]:
    from voicebot.personas import generate as generator

    if llm is None:
        return generator.drawn(n, seed)
    from voicebot import clock, paths
    from voicebot.personas import invented, model

    async def ask() -> list[Drawn]:
        root = paths.project_root()
        return await invented.invented(await model.connected(llm, root, base_url=base_url, temperature=0.8), n, seed)

    return clock.run(ask())


def _write(folder: Path, made: list[Drawn], *, force: bool) -> list[Path]:
    """Their files. Nothing is written when one is in the way. Raises BadInput."""
    from voicebot import paths
    from voicebot.errors import BadInput

    files = {folder / f"{each.stem}.yaml": each.text for each in made}
    other = [path for path, text in files.items() if path.exists() and path.read_text(encoding="utf-8") != text]
    if other and not force:
        raise BadInput(f"{paths.shown(other[0])} is there already and differs. --force replaces it.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--out {folder}: {error.strerror}.") from None
    return list(files)


def _tell(screen: Screen, made: list[Drawn], files: list[Path]) -> None:
    from voicebot import paths
    from voicebot.personas import portrait

    if screen.quiet:
        for file in files:
            screen.data(paths.shown(file))
        return
    rows = [
        [each.stem, portrait.manner(each.persona), portrait.voice(each.persona.voice), portrait.line(each.persona.line)]
        for each in made
    ]
    screen.table(["name", "manner", "voice", "line"], rows)
    screen.talk(f"wrote {len(files)} files to {paths.shown(files[0].parent)}/", "good")


def _facts(each: Drawn, out: Path | None) -> dict[str, object]:
    from voicebot.personas import settings

    file = str(out / f"{each.stem}.yaml") if out else None
    return {"file": file, **settings.differing(each.persona)}
