"""What `VOICEBOT_PARTS` names where a tunnel is lost: as in served_parts, and nobody waits long to look.

After `TUNNEL_GIVEN_UP_S` seconds, of the environment, it is given up.
"""

from __future__ import annotations

import os

from tests.doubles.served_parts import parts
from voicebot.telephony import reach

__all__ = ["parts"]

_GIVE_UP_S = float(os.environ["TUNNEL_GIVEN_UP_S"])
reach.PACE = reach.Pace(
    tick_s=0.1, every_s=1.0, again_s=0.5, waits_s=(0.5,), steady_s=min(_GIVE_UP_S, 5.0), give_up_s=_GIVE_UP_S
)
