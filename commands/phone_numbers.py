"""`voicebot phone numbers`: telephone numbers, from the first search to the release."""

from __future__ import annotations

import typer

from .help import Command, Group
from .phone_buy import buy
from .phone_list import list_
from .phone_point import point
from .phone_release import release
from .phone_search import search

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Telephone numbers at Twilio. What costs money, or cannot be undone, is only done with --yes.

    \b
    Examples:
      voicebot phone numbers search --country US --area-code 415
      voicebot phone numbers buy +14155550100            # what it would cost
      voicebot phone numbers buy +14155550100 --yes
      voicebot phone numbers point +14155550100 ava --url https://voice.example.com
      voicebot phone numbers list
    """,
)
app.command(cls=Command)(search)
app.command(cls=Command)(buy)
app.command("list", cls=Command)(list_)
app.command(cls=Command)(point)
app.command(cls=Command)(release)
