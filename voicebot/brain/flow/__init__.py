"""The flow brain: a slot-filling dialogue that needs no language model.

dialogue.py    Dialogue: state + what was heard -> the next move; pure
heard.py       what a turn means to a flow
answers.py     the answer to each kind of open question
progress.py    checks, questions, the confirmation, the deed
trouble.py     silence, misunderstanding, refusal
wording.py     values in words
node.py        the dialogue as a LangGraph node
utterances.py  what callers may say, for a recogniser's language model
"""
