from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from voicebot import models, paths, providers
from voicebot.errors import BadInput
from voicebot.models import store


def test_every_file_is_pinned_to_a_commit_and_a_checksum():
    for model in models.entries():
        for file in model.files:
            assert re.fullmatch("[0-9a-f]{40}", file.revision), model.name
            assert len(file.sha256) == 64, model.name
        assert model.files[0].name.endswith(".gguf") or model.kind != "llm"


def test_the_default_of_the_provider_is_in_it():
    assert models.entry(providers.find("llm", "llama").default).kind == "llm"


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(BadInput, match=r"unknown model 'lama-3\.2-1b'\. Did you mean 'llama-3\.2-1b-instruct'\?"):
        models.entry("lama-3.2-1b")


def test_a_mirror_of_the_hub_is_respected(monkeypatch: pytest.MonkeyPatch):
    file = models.entry("qwen2.5-1.5b-instruct").files[0]
    assert file.url.startswith("https://huggingface.co/Qwen/Qwen2.5-1.5B-Instruct-GGUF/resolve/")
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    assert file.url.startswith("https://mirror.example/Qwen/")


def test_models_lie_in_the_platforms_folder_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("VOICEBOT_MODELS", raising=False)
    assert paths.models_dir().parts[-2:] == ("voicebot", "models")
    monkeypatch.setenv("VOICEBOT_MODELS", str(tmp_path))
    assert store.path_of(models.entries()[0]).is_relative_to(tmp_path)


def test_removing_frees_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VOICEBOT_MODELS", str(tmp_path))
    model = models.entries()[0]
    assert store.remove(model) == 0
    part = store.part_of(store.path_of(model))
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 100)
    assert not store.on_disk(model)
    assert store.remove(model) == 100
    assert not part.parent.exists()


def test_asking_whether_a_model_is_here_loads_no_engine():
    code = (
        "import sys; from pathlib import Path; from voicebot import models; models.why_not('x.gguf', Path())\n"
        "print({'llama_cpp', 'httpx', 'langchain_core', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
