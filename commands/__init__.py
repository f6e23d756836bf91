"""The command line: one file a command. `main` is where every error becomes one sentence and an exit code."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from typing import Annotated

import typer

from voicebot.errors import EXIT_BROKEN_PIPE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, VoicebotError

from . import calls, evals, keys, models, persona, phone, voices
from .bench import bench
from .demo import demo
from .doctor import doctor
from .help import Command, Group
from .new import new
from .serve import serve
from .sql import sql
from .studio import studio
from .talk import talk

app = typer.Typer(
    name="voicebot",
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="""Create voice agents, talk to them and test them, all with one engine.

    \b
    Examples:
      voicebot demo                    # a whole spoken call, here and now
      voicebot new my-agent            # a project of your own
      voicebot studio                  # write it, talk to it, fix it: all on one screen
      voicebot talk --text             # type to your agent
      voicebot calls show last         # what was said, and where the time went
      voicebot eval run                # simulated callers, and a verdict
      voicebot serve                   # many callers, by telephone and websocket
      voicebot phone dev --emulate     # a call by telephone, without an account

    Exit codes: 0 good, 1 what was tested failed, 2 bad input, 3 something needed is not there, 130 interrupted.
    """,
)
app.command(cls=Command)(demo)
app.command(cls=Command)(new)
app.command(cls=Command)(talk)
app.command(cls=Command)(studio)
app.command(cls=Command)(serve)
app.command(cls=Command)(sql)
app.command(cls=Command)(doctor)
app.add_typer(calls.app, name="calls")
app.add_typer(evals.app, name="eval")
app.add_typer(persona.app, name="persona")
app.add_typer(models.app, name="models")
app.add_typer(voices.app, name="voices")
app.add_typer(keys.app, name="keys")
app.add_typer(phone.app, name="phone")
app.add_typer(bench, name="bench")


def _version(wanted: bool) -> None:
    if wanted:
        from voicebot import __version__

        typer.echo(f"voicebot {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show logs and tracebacks; also after a command.")] = False,
) -> None:
    """Both are taken from the line before Typer sees it; they are here for --help."""


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


def run(line: list[str]) -> int:
    """Run one command line and return its exit code; nothing but SystemExit of a dying pipe leaves here."""
    words, debug = _without_debug(line)
    _hush(debug)
    try:
        code = app(args=words, prog_name="voicebot", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _wrong_usage(error)
    except (KeyboardInterrupt, typer.Abort):
        return EXIT_INTERRUPTED
    except (BrokenPipeError, SystemExit) as error:
        return _left_alone() if isinstance(error, BrokenPipeError) or error.code == 1 else _code(error.code)
    except Exception as error:  # noqa: BLE001  # the one place where an unforeseen error becomes a sentence
        return _failed(error, debug)
    return code if isinstance(code, int) else EXIT_OK


def _without_debug(line: list[str]) -> tuple[list[str], bool]:
    """The line without --debug, which may stand anywhere before '--'."""
    end = line.index("--") if "--" in line else len(line)
    words = [word for word in line[:end] if word != "--debug"]
    return words + line[end:], len(words) < end


def _hush(debug: bool) -> None:
    """Libraries say nothing on a user's terminal unless asked: Pipecat logs through loguru from its import on."""
    if debug:
        from voicebot import logs

        os.environ.setdefault(logs.LEVEL, "DEBUG")  # and of what this command starts
        json = os.environ.get("VOICEBOT_LOG") == "json"
        logs.begin("json" if json else "console", colour=_is_coloured() and not json, libraries="DEBUG")
        return
    os.environ.setdefault("LOGURU_AUTOINIT", "0")
    logging.lastResort = None
    warnings.simplefilter("ignore")


def _code(code: str | int | None) -> int:
    return code if isinstance(code, int) else EXIT_OK if code is None else EXIT_FAILED


def _left_alone() -> int:
    """Whoever read stdout has gone (`| head`): leave without a word; Typer turns this into SystemExit(1)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EXIT_BROKEN_PIPE


def _wrong_usage(error: typer.TyperException) -> int:
    message = error.format_message()
    if message.startswith("Usage:"):  # no arguments at all: the message is the help page
        typer.echo(message)
        return EXIT_OK
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "voicebot"
    _say(f"{message.rstrip('.')}. See: {command} --help")
    return error.exit_code


def _failed(error: BaseException, debug: bool) -> int:
    cause = _cause(error)
    if debug:
        print(_told(error), file=sys.stderr)  # noqa: T201  # the traceback of the error that is printed below
    if isinstance(cause, VoicebotError):
        _say(str(cause))
        return cause.exit_code
    where = "" if debug else f" The traceback is in {_saved(error)}; --debug shows it."
    from voicebot.logs.secrets import hide

    _say(f"unexpected {type(cause).__name__}: {hide(str(cause))}. This is a bug in voicebot.{where}")
    return EXIT_FAILED


def _cause(error: BaseException) -> BaseException:
    """What went wrong inside the groups that task groups wrap around it; an error of our own first."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    causes = [_cause(inner) for inner in error.exceptions]
    return next((cause for cause in causes if isinstance(cause, VoicebotError)), causes[0])


def _saved(error: BaseException) -> str:
    import tempfile

    with tempfile.NamedTemporaryFile("w", prefix="voicebot-", suffix=".log", delete=False, encoding="utf-8") as out:
        out.write(_told(error))
    return out.name


def _told(error: BaseException) -> str:
    """Its traceback, as it may be kept and shown to others."""
    import traceback

    from voicebot import logs

    return logs.hidden("".join(traceback.format_exception(error)))


def _is_coloured() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def _say(sentence: str) -> None:
    label = "\x1b[1;31merror:\x1b[0m" if _is_coloured() else "error:"
    print(f"{label} {sentence}", file=sys.stderr)  # noqa: T201  # the one place errors are printed
