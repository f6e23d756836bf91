"""Talking to an agent. The call runs in a process of its own, so that nothing the screen does can disturb its audio.

page.py    what one sees             line.py      the studio's end: starts the process, reads what it tells
wire.py    what travels between      engine.py    the process: one call, from answer to hang-up
"""
