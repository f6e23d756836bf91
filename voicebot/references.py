"""What an agent file points to: providers, tools and knowledge. Each check returns its value or raises ValueError.

The checks are pydantic validators. Those that look at files do so only when the validation context is the project's
root folder; an agent built in code has no files to check.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import ValidationInfo

from voicebot import graphref
from voicebot.errors import did_you_mean

BUILT_IN_TOOLS = frozenset({"end_call", "hand_over", "press_keys", "pause_recording"})
"""Every brain has these; a tool of the project cannot take their names."""


def stt(name: str) -> str:
    return _provider("stt", name)


def tts(name: str) -> str:
    return _provider("tts", name)


def llm(name: str) -> str:
    return _provider("llm", name)


def _provider(kind: Literal["stt", "tts", "llm"], name: str) -> str:
    from voicebot.providers import known as known_providers  # only here: providers import the agent

    known = known_providers(kind)
    provider = name.partition("/")[0]
    if provider not in known:
        raise ValueError(f"unknown provider '{provider}'.{did_you_mean(provider, known)}")
    return name


def tool(reference: str, info: ValidationInfo) -> str:
    """'tools.py:book': a Python file of the project and a function in it."""
    file, _, function = reference.rpartition(":")
    if not file.endswith(".py") or not function.isidentifier():
        raise ValueError(f"'{reference}' names no tool. Write FILE.py:FUNCTION, for example tools.py:book.")
    if function in BUILT_IN_TOOLS:
        raise ValueError(f"'{function}' is a built-in tool. Give the function in {file} another name.")
    if isinstance(info.context, Path):
        _look_up(info.context, file, function)
    return reference


def graph(reference: str, info: ValidationInfo) -> str:
    """'graph.py:graph', 'my_pkg.graph:build' or 'langgraph.json:agent': what makes a LangGraph graph."""
    if isinstance(info.context, Path):
        graphref.resolve(reference, info.context)
    return reference


def misfit(reference: str, arguments: list[str], info: ValidationInfo) -> str:
    """Why the tool cannot be called with just these arguments; '' when it can, or when that cannot be seen."""
    if not isinstance(info.context, Path):
        return ""
    file, _, function = reference.rpartition(":")
    signature = _functions((info.context / file).read_text(encoding="utf-8"))[function]
    return unfit(reference, signature.names, signature.required, arguments) if signature else ""


def unfit(tool: str, names: Collection[str], required: Iterable[str], arguments: list[str]) -> str:
    """Why `tool`, which has these parameters, cannot be called with just these arguments; '' when it can."""
    for argument in arguments:
        if argument not in names:
            return f"{tool} has no parameter '{argument}'.{did_you_mean(argument, names)}"
    missing = next((name for name in required if name not in arguments), None)
    return f"{tool} needs '{missing}' too." if missing else ""


@dataclass(frozen=True)
class _Signature:
    names: tuple[str, ...]
    required: tuple[str, ...]

    @classmethod
    def of(cls, node: ast.FunctionDef | ast.AsyncFunctionDef) -> _Signature:
        plain = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        needed = plain[: len(plain) - len(node.args.defaults)]
        for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            plain.append(argument.arg)
            needed += [argument.arg] if default is None else []
        return cls(tuple(plain), tuple(needed))


def _look_up(root: Path, file: str, function: str) -> None:
    path = root / file
    if not path.is_file():
        raise ValueError(f"{file} does not exist.{did_you_mean(file, _files(root, '.py'))}")
    try:
        functions = _functions(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise ValueError(f"{file}:{error.lineno} is not valid Python: {error.msg}.") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} cannot be read: {error}.") from None
    if function not in functions:
        public = {name for name, signature in functions.items() if signature and not name.startswith("_")}
        raise ValueError(f"no function '{function}' in {file}.{did_you_mean(function, public)}")


@lru_cache(maxsize=32)
def _functions(source: str) -> dict[str, _Signature | None]:
    """The functions of a module and their parameters; None for a name that is imported or assigned there."""
    found: dict[str, _Signature | None] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = _Signature.of(node)
        elif isinstance(node, ast.ImportFrom):
            found.update(dict.fromkeys(alias.asname or alias.name for alias in node.names))
        elif isinstance(node, ast.Assign):
            found.update(dict.fromkeys(target.id for target in node.targets if isinstance(target, ast.Name)))
    return found


def knowledge(pattern: str, info: ValidationInfo) -> str:
    """'knowledge/*.md': files of the project."""
    if Path(pattern).is_absolute():
        raise ValueError(f"'{pattern}' must be relative to the project's folder.")
    if isinstance(info.context, Path):
        _match(info.context, pattern)
    return pattern


def sound(file: str, info: ValidationInfo) -> str:
    """'sounds/piano.ogg': one file of the project."""
    knowledge(file, info)
    if "*" in file or "?" in file or "[" in file:
        raise ValueError(f"'{file}' must be one file.")
    return file


def _match(root: Path, pattern: str) -> None:
    try:
        found = any(path.is_file() for path in root.glob(pattern))
    except ValueError as error:
        raise ValueError(f"'{pattern}' is no file pattern: {error}.") from None
    if found:
        return
    folder = str(Path(pattern).parent.as_posix())
    if "*" in folder or (root / folder).is_dir():
        hint = did_you_mean(pattern, _files(root, Path(pattern).suffix))
    else:
        hint = did_you_mean(folder, (path.name for path in root.iterdir() if path.is_dir()))
    raise ValueError(f"no file matches '{pattern}'.{hint}")


def _files(root: Path, suffix: str) -> list[str]:
    """Files with that suffix in the project's folder and one folder deeper."""
    found = [*root.glob(f"*{suffix}"), *root.glob(f"[!.]*/*{suffix}")]
    return [path.relative_to(root).as_posix() for path in found if path.is_file()]
