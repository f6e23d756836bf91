"""Figures of many calls for Prometheus, counted while the calls go on.

    meters.py    what is counted: every metric of a call and of a provider, defined once
    call.py      the face of one call: events in, figures up
    replies.py   what of a reply's events makes figures: gaps in its sound, its stages and who did them
    labels.py    label values that cannot run away, and that nobody's words get into
    files.py     the figures of several processes, and of those that have died, added up

Needs the extra `server`.
"""

from voicebot.observe.metrics.call import CallFigures
from voicebot.observe.metrics.files import Merged, share
from voicebot.observe.metrics.meters import Meters

__all__ = ["CallFigures", "Merged", "Meters", "share"]
