"""`voicebot voices compare`: which of two voices people like better, without knowing which is which."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Json, NoColor, Quiet

if TYPE_CHECKING:
    from voicebot.evals.bench.listening import Result, Trial
    from voicebot.evals.bench.pairs import Pair

    from .loudspeaker import Loudspeaker
    from .terminal import Screen

GAP_S = 0.5
QUESTION = "which sounds better? 1, 2, 0 the same, r once more, q stop: "


def compare(
    a: Annotated[str | None, typer.Argument(metavar="[A]", help="A voice, a WAV file or a folder of them.")] = None,
    b: Annotated[str | None, typer.Argument(metavar="[B]", help="The other one.")] = None,
    text: Annotated[list[str] | None, typer.Option(help="What voices say; again for more.")] = None,
    language: Annotated[str, typer.Option(help="Of the texts.")] = "en",
    seed: Annotated[int | None, typer.Option(help="The order, to have the same again.")] = None,
    listener: Annotated[str | None, typer.Option(help="Who listens; by default the user's name.")] = None,
    votes: Annotated[Path | None, typer.Option(metavar="FILE", help="Where votes are kept; alone: count them.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write the sounds, to listen elsewhere.")] = None,
    answers: Annotated[Path | None, typer.Option(metavar="FILE", help="Enter the answers given elsewhere.")] = None,
    as_is: Annotated[bool, typer.Option("--as-is", help="Do not make both equally loud.")] = False,
    loudspeaker: Annotated[str | None, typer.Option("--output", metavar="DEVICE", help="Name or number.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Hear two voices say the same, in an order that nobody knows, and vote; the votes of all listeners add up.

    Two files or two folders with files of the same names can be compared, too. The votes are counted with an exact
    sign test: would so uneven a result be likely if nobody had a preference?

    \b
    Examples:
      voicebot voices compare espeak/en-us+f2 piper/en_US-joe-medium
      voicebot voices compare old/ new/ --out listening/
      voicebot voices compare --answers listening/answers.txt --listener kim
      voicebot voices compare --votes votes/new-vs-old.jsonl
    """
    from voicebot.errors import BadInput
    from voicebot.evals.bench import listening

    from .terminal import Screen

    screen = Screen(quiet=quiet, no_color=no_color)
    who = listener or _user()
    if (a is None) != (b is None) or (a is None and not (votes or answers)):
        raise BadInput("two are compared: name A and B. Or give --answers FILE or --votes FILE alone.")
    if answers is not None:
        found, kept = listening.answered(answers, who)
        file = votes or kept
        listening.keep(file, found)
    elif a is not None and b is not None:
        pairs = _pairs(screen, a, b, text, language, as_is=as_is)
        a, b = _named(a), _named(b)
        file = votes or _file(a, b)
        plan = listening.trials([pair.item for pair in pairs], seed)
        if out is not None:
            _lay_out(screen, out, (a, b), plan, pairs, file)
            return
        _listen(screen, (a, b), plan, pairs, file, who, loudspeaker)
    else:
        assert votes is not None, "checked above"
        file = votes
    _report(screen, listening.count(listening.read(file)), file, as_json=as_json)


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a user of that number
        return "listener"


def _named(one: str) -> str:
    """What the votes call it: a voice as it is, a path always the same way."""
    from voicebot import paths

    return paths.shown(Path(one).absolute()) if Path(one).exists() else one


def _file(a: str, b: str) -> Path:
    import re

    from voicebot import paths

    parts = [Path(each).name if Path(each).exists() else each for each in (a, b)]
    names = sorted(re.sub(r"\W+", "-", part).strip("-").lower() for part in parts)
    return paths.project_root() / "votes" / f"{names[0]}-vs-{names[1]}.jsonl"


def _pairs(screen: Screen, a: str, b: str, texts: list[str] | None, language: str, *, as_is: bool) -> list[Pair]:
    from voicebot import clock
    from voicebot.errors import BadInput
    from voicebot.evals.bench import pairs

    if a == b:
        raise BadInput(f"both are {a}. Name two.")
    if Path(a).exists() or Path(b).exists():
        if missing := next((each for each in (a, b) if not Path(each).exists()), None):
            raise BadInput(f"{missing}: there is no such file or folder.")
        found = pairs.of_paths(Path(a), Path(b))
    else:
        if language.partition("-")[0] != "en" and not texts:
            raise BadInput(f"--language {language}: say with --text what the voices shall say.")
        with screen.waiting("both voices are speaking ..."):
            found = clock.run(pairs.of_voices(a, b, texts or pairs.SENTENCES, language))
    return found if as_is else pairs.levelled(found)


def _listen(
    screen: Screen,
    names: tuple[str, str],
    plan: list[Trial],
    pairs: list[Pair],
    file: Path,
    who: str,
    device: str | None,
) -> None:
    """Each answer is kept as it is given: who stops has voted on what came before."""
    from voicebot.evals.bench import listening

    from .loudspeaker import Loudspeaker

    sounds = {pair.item: pair for pair in pairs}
    speaker = Loudspeaker(device)
    screen.talk(f"{names[0]} and {names[1]}, {len(plan)} times, in an order that nobody knows")
    for trial in plan:
        answer = _asked(screen, trial, len(plan), sounds[trial.item], speaker)
        if answer == "q":
            return
        listening.keep(file, [listening.vote(names, trial, trial.choice(answer), who)])


def _asked(screen: Screen, trial: Trial, of: int, pair: Pair, speaker: Loudspeaker) -> str:
    """'1', '2', '0' or 'q'."""
    answer = "r"
    while answer not in ("0", "1", "2", "q"):
        if answer == "r":
            _play(pair, trial, speaker)
        screen.err.print(f"{trial.number} of {of}: {QUESTION}", end="", markup=False)
        line = sys.stdin.readline()
        answer = line.strip().lower() if line else "q"  # the end of the input ends the listening
    return answer


def _play(pair: Pair, trial: Trial, speaker: Loudspeaker) -> None:
    from .loudspeaker import sounding

    for number, sound in enumerate(pair.sounds(trial)):
        if number:
            time.sleep(GAP_S)
        with sounding(speaker):
            speaker.play(sound.pcm, sound.rate_hz)


def _lay_out(
    screen: Screen, folder: Path, names: tuple[str, str], plan: list[Trial], pairs: list[Pair], file: Path
) -> None:
    from voicebot.errors import BadInput
    from voicebot.evals.bench import listening

    from .loudspeaker import write_wav

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {folder}: {error.strerror}.") from None
    if any(folder.iterdir()):
        raise BadInput(f"--out {folder}: there is something in it. Name a new folder.")
    sounds = {pair.item: pair for pair in pairs}
    for trial in plan:
        for number, sound in enumerate(sounds[trial.item].sounds(trial), 1):
            write_wav(folder / f"{trial.number:02d}-{number}.wav", sound.pcm, sound.rate_hz)
    listening.lay_out(folder, names, plan, file.absolute())
    screen.talk(
        f"wrote {len(plan)} pairs; the answers go into {folder / listening.ANSWERS}, and {listening.KEY} is not"
    )
    screen.talk("to be looked at before")


def _report(screen: Screen, result: Result, file: Path, *, as_json: bool) -> None:
    from dataclasses import asdict

    from voicebot import paths

    if as_json:
        more = {"n": result.n, "share_a": result.share_a, "p": result.p, "verdict": result.verdict, "votes": str(file)}
        screen.json(asdict(result) | more)
        return
    for name, votes in ((result.a, result.for_a), (result.b, result.for_b)):
        share = f"{votes / result.n:.0%}" if result.n else "-"
        screen.data(f"{votes:>4}  {share:>4}  {name}")
    screen.data(f"{result.ties:>4}        the same")
    screen.data(f"{result.verdict}; n = {result.n}, {result.listeners} listener{'s' * (result.listeners != 1)}")
    if result.listeners == 1 and result.n:
        screen.talk("the taste of one listener: it says nothing of other people's", "dim")
    screen.talk(f"votes in {paths.shown(file)}", "dim")
