"""Agents: the files of a project, edited with the engine's own errors beside the line."""
