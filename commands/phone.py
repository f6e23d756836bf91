"""`voicebot phone`: an agent on the telephone."""

from __future__ import annotations

import typer

from . import phone_batch, phone_numbers
from .help import Command, Group
from .phone_call import call
from .phone_dev import dev
from .phone_route import route

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""An agent on the telephone: try it, give it a number, have it call.

    \b
    Examples:
      voicebot phone dev ava --emulate      # a simulated caller, over the real telephone path; no account needed
      voicebot phone dev ava                # your number calls the agent on this machine, until Ctrl-C
      voicebot phone numbers search --area-code 415
      voicebot phone route --to +12025550100      # who would answer, and which rule says so
      voicebot phone call +12025550123 --agent ava
      voicebot phone batch run contacts.csv --agent ava

    The account is Twilio's: TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, in the environment or in the project's .env.
    """,
)
app.command(cls=Command)(dev)
app.command(cls=Command)(route)
app.command(cls=Command)(call)
app.add_typer(phone_numbers.app, name="numbers")
app.add_typer(phone_batch.app, name="batch")
