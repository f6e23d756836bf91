"""The one visual language of the studio: colours, the frame of a page, and the widgets that pages share."""

from __future__ import annotations

from .ask import Ask, Choose, Confirm
from .empty import Empty
from .level import Level
from .page import Page, Request
from .transcript import TranscriptView
from .trouble import Trouble
from .waterfall import WaterfallView
from .working import Working

__all__ = [
    "Ask",
    "Choose",
    "Confirm",
    "Empty",
    "Level",
    "Page",
    "Request",
    "TranscriptView",
    "Trouble",
    "WaterfallView",
    "Working",
]
