"""`mailvet config`: the settings in force, where each comes from, and nothing secret."""

import argparse
import re
from typing import Any

from mailvet.cli.lines import json_line, printable
from mailvet.config import Settings, describe, load, origins

HIDDEN = "***"
_SECRET = re.compile(r"secret|password|token")
_CREDENTIALS = re.compile(r"(://)[^/@]+@")
"""What stands before the host of a URL."""


def config_tool(arguments: argparse.Namespace) -> int:
    """Print every setting; returns the exit code."""
    settings, came_from = settings_of(arguments)
    for name, value in settings.model_dump(mode="json").items():
        if arguments.changed and came_from[name] == "default":
            continue
        shown = without_secrets(name, value)
        if arguments.json:
            found = {"setting": name, "value": shown, "origin": came_from[name]}
            print(json_line(found | {"meaning": describe(name)}))
        else:
            print(f"{name:<26} {_text(shown):<32} {came_from[name]}")
    return 0


def settings_of(arguments: argparse.Namespace) -> tuple[Settings, dict[str, str]]:
    """Return the settings that `mailvet serve` would have with these flags, and their origins."""
    flags = {name: getattr(arguments, name, None) for name in Settings.model_fields}
    return load(flags, arguments.config), origins(flags, arguments.config)


def without_secrets(name: str, value: Any) -> Any:
    """Return a value with what nobody else should read put out of sight."""
    if isinstance(value, dict):
        return {key: without_secrets(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_secrets(name, item) for item in value]
    if value and _SECRET.search(name):
        return HIDDEN
    return _CREDENTIALS.sub(rf"\1{HIDDEN}@", value) if isinstance(value, str) else value


def _text(value: Any) -> str:
    if value is None:
        return "(unset)"
    if isinstance(value, list) and all(isinstance(item, str | int) for item in value):
        value = ",".join(map(str, value))
    return printable(str(value)) or "(empty)"
