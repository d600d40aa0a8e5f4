"""Reads the Dockerfile for tests: its steps, each an instruction and the rest of the line."""

import re

from deploy.airflow_settings import ROOT

TEXT = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
STEPS = [line.split(" ", 1) for line in TEXT.splitlines() if line and not line.startswith("#")]


def values(word: str) -> list[str]:
    return [rest for name, rest in STEPS if name == word]


def stages() -> dict[str, list[list[str]]]:
    """Returns the steps of each stage by its name; the last stage has an empty name."""
    found: dict[str, list[list[str]]] = {}
    for step in STEPS:
        if step[0] == "FROM":
            name = step[1].partition(" AS ")[2]
        found.setdefault(name, []).append(step)
    return found
