"""The flow brain: a slot-filling dialogue that needs no language model, and goes well with one.

node.py        the dialogue as a LangGraph node
dialogue.py    Dialogue: state + what was heard -> the next move; pure
heard.py       what a turn means to a flow
answers.py     the answer to each kind of open question: goals.py, picking.py, confirming.py, taking.py
progress.py    checks, questions, the confirmation, the deed
trouble.py     silence, misunderstanding, refusal
doubt.py       values that the caller has refused
wording.py     values in words
turn.py, state.py

rails.py       the node with a language model: asked what the rules do not understand
claims.py      what a model claims to have understood, and the tool by which it says so
second.py      claims made part of what was heard, as far as they hold
ask.py         one model after the other; reading.py: an answer while it comes
speakable.py   which of a model's words may be spoken
"""
