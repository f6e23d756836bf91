"""Models that run on this machine: which there are, where they lie, and how to get one.

    catalogue   what can be pulled: catalogue.yaml, typed
    store       the folder they lie in
    download    bringing a file here: resumed where it stopped, checked, put in place whole

Reading any of it loads no engine.
"""

from voicebot.models.catalogue import Entry, File, entries, entry
from voicebot.models.store import best, located, on_disk, why_not

__all__ = ["Entry", "File", "best", "entries", "entry", "located", "on_disk", "why_not"]
