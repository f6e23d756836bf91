"""Getting a goal done: run the checks that are due, ask what is missing, have it confirmed, do it."""

from __future__ import annotations

from typing import Any

from voicebot.brain.nlu import times
from voicebot.flow import Outcome, Step, placeholders

from .state import Asking, Move
from .turn import Turn


def begin(turn: Turn, name: str) -> Move:
    """Start a goal with what has been said already."""
    state = turn.state
    if state.goal and state.goal != name:
        drop(turn)
    state.goal, state.refused = name, []
    state.facts, state.checked = {}, {}
    goal = turn.flow.goals[name]
    if goal.say:
        turn.prefix.append(goal.say)
    return advance(turn)


def drop(turn: Turn) -> None:
    """Leave the goal; what belongs to the caller (name, number) stays known."""
    state = turn.state
    state.goal, state.facts, state.checked, state.refused = None, {}, {}, []
    sure = {name: value for name, value in state.slots.items() if value not in state.rejected.get(name, [])}
    state.slots = {name: value for name, value in sure.items() if turn.slot(name).keep}
    state.rejected, state.doubted, state.refusals = {}, [], 0
    state.running, state.partial = None, ""


def advance(turn: Turn) -> Move:
    """The next thing to do for the goal."""
    goal, state = turn.goal, turn.state
    if goal is None:
        return ask_goal(turn)
    for name in goal.check:
        step = turn.flow.checks[name]
        if _is_due(turn, step) and state.checked.get(name) != turn.arguments(step):
            return turn.run("check", name, step, turn.arguments(step))
    for slot in goal.ask:
        if turn.is_open(slot):
            turn.forget(slot)  # a wish that no check has turned into something better
            return ask_slot(turn, slot)
    return confirm(turn) if goal.do else finish(turn)


def _is_due(turn: Turn, step: Step) -> bool:
    """All arguments are known; or one is a wish, and nothing that is asked before it is missing."""
    known, goal = turn.known(), turn.goal
    missing = [name for name in step.with_ if known.get(name) is None and name not in turn.state.refused]
    if not missing:
        return True
    wishes = [name for name in step.with_ if _is_wish(turn, name)]
    if not wishes or goal is None:
        return False
    asked = [name for name in goal.ask if name in step.with_]
    return all(name in asked and asked.index(name) > asked.index(wishes[0]) for name in missing)


def _is_wish(turn: Turn, name: str) -> bool:
    slot = turn.flow.slots.get(name)
    return bool(slot and slot.wishes and times.is_wish(turn.state.slots.get(name)))


def ask_goal(turn: Turn) -> Move:
    return turn.ask(turn.phrases.ask_goal, Asking("goal"), "start", plain=True)


def ask_slot(turn: Turn, name: str, question: str = "", *, doubted: Any = None) -> Move:
    goal = turn.goal
    own = (goal.questions.get(name) if goal else None) or turn.slot(name).ask
    plain = not question and not placeholders(own)
    asking = Asking("slot", name, doubted=doubted)
    return turn.ask(question or turn.text(own), asking, f"{turn.state.goal}.{name}", plain=plain)


def confirm(turn: Turn) -> Move:
    """The question that must get a clear yes. What is agreed to is frozen with it."""
    goal = turn.goal
    assert goal is not None
    assert goal.do is not None
    sentence, until = turn.rails.wording.with_last_value(goal.confirm, turn.known(), turn.today)
    asking = Asking("confirm", arguments=turn.arguments(goal.do), must_hear=until)
    return turn.ask(sentence, asking, f"{turn.state.goal}.confirm")


def do(turn: Turn) -> Move:
    """Run the tool that changes something, with exactly what was agreed to."""
    goal, state = turn.goal, turn.state
    assert goal is not None
    assert goal.do is not None
    agreed = state.asking.arguments
    if agreed != turn.arguments(goal.do):
        return confirm(turn)
    state.asking, state.rejected = Asking("more"), {}
    if _deed(str(state.goal), agreed) in state.deeds:  # agreed to twice, done once
        return finish(turn)
    return turn.run("do", str(state.goal), goal.do, agreed)


def finish(turn: Turn) -> Move:
    goal = turn.goal
    assert goal is not None
    if goal.done:
        turn.state.news = turn.text(goal.done)
        turn.prefix.append(turn.state.news)
    title = goal.title
    drop(turn)
    if goal.then == "hand_over":
        return turn.hand_over(title)
    if goal.then == "end":
        return turn.end(turn.phrases.goodbye, "done")
    return anything_else(turn)


def anything_else(turn: Turn) -> Move:
    return turn.ask(turn.phrases.anything_else, Asking("more"), "anything_else", plain=True)


def answered(turn: Turn, result: Any) -> Move:
    """A tool has answered: go on, or do what its outcome says."""
    state = turn.state
    running = state.running
    if running is None:
        return turn.say()
    state.running = None
    outcome, facts = _parts(result)
    state.facts.update(facts)
    goal = turn.goal
    step = turn.flow.checks[running.name] if running.kind == "check" else goal.do if goal else None
    if step and outcome in step.outcomes:
        if running.kind == "do":
            state.checked = {}
        return _follow(turn, step.outcomes[outcome])
    if running.kind == "do":
        state.deeds.append(_deed(running.name, running.arguments))
        return finish(turn)
    state.checked[running.name] = running.arguments
    return advance(turn)


def _deed(goal: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"goal": goal, "arguments": arguments}


def _parts(result: Any) -> tuple[str | None, dict[str, Any]]:
    """(outcome, facts) of what a tool returned."""
    if isinstance(result, dict):
        facts = {str(key): value for key, value in result.items() if key != "outcome"}
        outcome = result.get("outcome")
        return (outcome if isinstance(outcome, str) else None), facts
    return (result if isinstance(result, str) else None), {"result": result}


def _follow(turn: Turn, outcome: Outcome) -> Move:
    sentence = turn.text(outcome.say)
    if outcome.then == "hand_over":
        drop(turn)
        return turn.hand_over("the request needs a person", sentence)
    if outcome.then == "stop" or outcome.ask is None:
        turn.prefix.append(sentence)
        drop(turn)
        return anything_else(turn)
    options = turn.state.facts.get(outcome.options or "") or []
    if outcome.options is None:  # hearing the same again would lead here again
        turn.reject(outcome.ask)
    turn.forget(outcome.ask)
    if options:
        asking = Asking("pick", outcome.ask, options=list(options))
        return turn.ask(sentence, asking, f"{turn.state.goal}.{outcome.ask}")
    return ask_slot(turn, outcome.ask, sentence)


def failed(turn: Turn) -> Move:
    """A tool could not be run: nothing is known to have happened, so a person must take over."""
    turn.state.running = None
    turn.prefix.append(turn.phrases.tool_failed)
    drop(turn)
    if turn.rails.person is None:
        return anything_else(turn)
    return turn.hand_over("a system is out of reach")
