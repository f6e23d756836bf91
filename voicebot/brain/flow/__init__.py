"""The flow brain: a slot-filling dialogue that needs no language model.

node.py        the dialogue as a LangGraph node
dialogue.py    Dialogue: state + what was heard -> the next move; pure
heard.py       what a turn means to a flow
answers.py     the answer to each kind of open question: goals.py, picking.py, confirming.py, taking.py
progress.py    checks, questions, the confirmation, the deed
trouble.py     silence, misunderstanding, refusal
doubt.py       values that the caller has refused
wording.py     values in words
turn.py, state.py
"""
