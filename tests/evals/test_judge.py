from __future__ import annotations

import json
import shutil
from pathlib import Path

import voicebot
from voicebot.evals import judge
from voicebot.personas import persona as personas

DENTAL = Path(voicebot.__file__).parent / "templates/dental"


def test_the_scenarios_that_name_the_persona_judge_its_calls(tmp_path: Path) -> None:
    root = tmp_path / "clinic"
    shutil.copytree(DENTAL, root)
    maria = personas.find("maria", root)
    judged = judge.find(root / "agents/ava.yaml", maria)
    assert judged is not None
    facts = {fact: known.value for fact, known in maria.facts.items()}
    booked = {"id": 1, **facts, "day": "2026-11-26", "phone": None}
    assert judged(root, facts, "agent_hung_up")
    (root / "data/appointments.json").write_text(json.dumps([booked]))
    assert judged(root, facts, "agent_hung_up") == []
    assert judged(root, facts, "handed_over")


def test_a_persona_in_no_scenario_has_no_judge(tmp_path: Path) -> None:
    root = tmp_path / "clinic"
    shutil.copytree(DENTAL, root)
    shutil.copy(root / "personas/maria.yaml", root / "personas/anybody.yaml")
    assert judge.find(root / "agents/ava.yaml", personas.find("anybody", root)) is None
