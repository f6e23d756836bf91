"""One conversation, from answer to hang-up: it owns its parts, its events and its record.

call = Call(agent, transport, record=Path("calls"))
call.subscribe(print)
ended = await call.run()

call.py        the parts of a call, and what comes of their events
opening.py     how it begins: its id, and what must be in memory before
cast.py        the ears and voices of the agents that it goes through
chronicle.py   what it only tells
deeds.py       what a brain did, as events
telling.py     who is told of events, and what is taken out of them before
offrecord.py   what is not kept at all
asides.py      what somebody outside the conversation asks of it
purse.py       what it may cost
"""

from voicebot.call.call import Call

__all__ = ["Call"]
"""Not here: `opening.new_id` and the like, which are needed where no call is to be made."""
