"""`voicebot bench`: measures of the parts on this machine."""

from __future__ import annotations

import typer

from .bench_calls import calls
from .bench_guardrails import guardrails
from .bench_stt import stt
from .bench_talk import talk
from .bench_tts import tts
from .help import Command, Group

bench = typer.Typer(cls=Group, no_args_is_help=True, add_completion=False, help="Measure the parts on this machine.")
bench.command("calls", cls=Command)(calls)
bench.command("guardrails", cls=Command)(guardrails)
bench.command("stt", cls=Command)(stt)
bench.command("talk", cls=Command)(talk)
bench.command("tts", cls=Command)(tts)
