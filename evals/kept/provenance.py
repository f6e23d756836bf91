"""Where a figure comes from: versions, hashes, machine and commit, so that two runs can be told apart."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from voicebot import paths

PACKAGES = (
    "voicebot", "pipecat-ai", "langgraph", "onnxruntime", "pocketsphinx", "espeakng-loader", "faster-whisper",
    "piper-tts", "llama-cpp-python", "deepgram-sdk", "elevenlabs", "openai", "anthropic",
)  # fmt: skip
"""Whose version can change what a call sounds like, when it is installed."""


class Machine(BaseModel):
    """What the calls were made on. Latencies of two machines are not comparable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    system: str = ""
    python: str = ""
    cores: int = 0
    cpu: str = ""

    def like(self, other: Machine) -> bool:
        """Whether latencies can be compared. Names differ from job to job of a build server."""
        return (self.system, self.cores, self.cpu) == (other.system, other.cores, other.cpu)

    def __str__(self) -> str:
        """'Linux x86_64, 2 cores, AMD EPYC'."""
        return ", ".join(filter(None, (self.system, f"{self.cores} cores", self.cpu)))


class Commit(BaseModel):
    """The state of the project's git repository."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha: str
    branch: str = ""
    dirty: bool = False
    """Whether something was not committed."""


def machine() -> Machine:
    return Machine(
        name=platform.node(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        cores=cores(),
        cpu=_cpu(),
    )


def _cpu() -> str:
    """What the processor calls itself; Linux alone tells it in a file."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def cores() -> int:
    """Those this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Package -> version of those of PACKAGES that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def commit(root: Path) -> Commit | None:
    """The project's commit; None outside of git."""
    sha = _git(root, "rev-parse", "HEAD")
    if sha is None:
        return None
    branch = _git(root, "rev-parse", "--abbrev-ref", "HEAD") or ""
    return Commit(sha=sha, branch=branch, dirty=bool(_git(root, "status", "--porcelain", "--", ".")))


def _git(root: Path, *words: str) -> str | None:
    command = ["git", "-C", str(root), *words]
    try:
        # the words of the command are fixed
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def of_text(text: str) -> str:
    """SHA-256 as hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def of_files(files: Iterable[Path]) -> str:
    """One SHA-256 over the names and contents of files; '' of none."""
    digest = hashlib.sha256()
    some = False
    for path in sorted(files):
        if path.is_file():
            some = True
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest() if some else ""


def of_project(root: Path) -> dict[str, str]:
    """'agents', 'personas', 'scenarios', 'tools', 'knowledge', 'data' -> SHA-256 of those files of the project."""
    parts = {
        "agents": paths.yaml_files(root / paths.AGENTS),
        "personas": (root / paths.PERSONAS).rglob("*.yaml"),
        "scenarios": paths.yaml_files(root / paths.EVALS),
        "suites": paths.yaml_files(root / paths.EVALS / "suites"),
        "tools": root.glob("*.py"),
        "knowledge": (root / "knowledge").rglob("*"),
        "data": (root / paths.DATA).rglob("*"),
    }
    return {name: digest for name, files in parts.items() if (digest := of_files(files))}
