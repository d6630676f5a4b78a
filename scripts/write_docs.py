#!/usr/bin/env python3
"""Writes the pages of docs/ that are made from the code; with --check, fails when one differs."""

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import grpc

from mailvet.config import PREFIX, Settings
from mailvet.rpc.descriptors import enum_comments, pool
from mailvet.v1.error_reason_pb2 import ErrorReason

DOCS = Path(__file__).parent.parent / "docs"

ERRORS = """# Errors

<!-- Made from proto/mailvet/v1/error_reason.proto by scripts/write_docs.py; edit the proto. -->

A call that fails ends with a gRPC status whose details are a `google.rpc.Status`: always a
`google.rpc.ErrorInfo` with the domain `mailvet.dev` and one of the reasons below, and beside it
what the reason's row says. Branch on the reason; the message is for people and may change.

A bad address is never an error: it is a result with a status of its own.

| reason | gRPC code | meaning | way out |
|---|---|---|---|
"""

EXAMPLES = """
## Examples

What `ErrorInfo` holds, one example a reason:

| reason | metadata |
|---|---|
"""

SETTINGS = """# Settings of `mailvet serve`

<!-- Made from src/mailvet/config.py by scripts/write_docs.py; edit the descriptions there. -->

A setting comes from its default, a TOML file (`--config FILE` or `MAILVET_CONFIG`), the
environment, or a flag; the later one wins. In TOML the name is as in the first column, in the
environment it is `MAILVET_` and the name in capitals, as a flag it is `--` and the name with
hyphens. A list is several values in TOML, one text with commas in the environment. A name that is
no setting is refused, with the nearest one that is.

| setting | environment | default | meaning |
|---|---|---|---|
"""

CLIENT_VARIABLES = """
The commands that call a server (`verify`, `batches`, `watch`) read `MAILVET_TARGET` (as
`--target`) and `MAILVET_KEY` (as `--key`).
"""


def errors_page() -> str:
    """The table of every ErrorReason, from the comments of the proto."""
    rows, examples = [], []
    comments = enum_comments("mailvet/v1/error_reason.proto", "ErrorReason")
    for name, number in ErrorReason.items()[1:]:
        reason = name.removeprefix("ERROR_REASON_")
        meaning, way_out, example = _parts(comments[number])
        code = next(code for code in re.findall(r"[A-Z_]+", meaning) if code in _CODES)
        meaning = re.sub(rf"{code}(?:, with (?P<details>.*))?\.$", _details, meaning).strip()
        rows.append(f"| `{reason}` | {code} | {meaning} | {way_out} |\n")
        metadata = re.search(r'"metadata": (\{.*?\})', example)
        assert metadata, name
        examples.append(f"| `{reason}` | `{metadata[1]}` |\n")
    return ERRORS + "".join(rows) + EXAMPLES + "".join(examples)


_CODES = frozenset(code.name for code in grpc.StatusCode)


def _parts(comment: str) -> tuple[str, str, str]:
    meaning, _, rest = comment.partition(" Way out: ")
    way_out, _, example = rest.partition(" Example: ")
    return meaning, way_out[0].upper() + way_out[1:], example


def _details(match: re.Match[str]) -> str:
    return f"With {match['details']}." if match["details"] else ""


def settings_page() -> str:
    """The table of every setting, from their descriptions."""
    rows = [
        f"| `{name}` | `{PREFIX}{name.upper()}` | {_default(name)} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    ]
    return SETTINGS + "".join(rows) + CLIENT_VARIABLES


def _default(name: str) -> str:
    field = Settings.model_fields[name]
    if field.default_factory is not None:
        return "this host's name"
    if field.default in (None, "", ()):
        return ""
    if isinstance(field.default, tuple):
        return f"`{','.join(map(str, field.default))}`"
    return f"`{str(field.default).lower()}`"


def grpcui_examples() -> str:
    """The lines of grpcurl.md as the examples that grpcui puts into its menu."""
    page = (DOCS / "grpcurl.md").read_text("utf-8")
    shown = re.findall(r"^# (.*)\n(grpcurl .*)$", page, re.MULTILINE)
    return json.dumps([_example(*one) for one in shown], indent=2, ensure_ascii=False) + "\n"


def _example(sentence: str, line: str) -> dict[str, Any]:
    arguments = shlex.split(line)
    service, _, method = arguments[-1].partition("/")
    text = arguments[arguments.index("-d") + 1] if "-d" in arguments else "{}"
    messages, decoder = [], json.JSONDecoder()
    while text := text.lstrip():
        message, end = decoder.raw_decode(text)
        messages.append(message)
        text = text[end:]
    return {
        "name": method,
        "description": sentence,
        "service": service,
        "method": method,
        "request": {"data": messages if _takes_stream(service, method) else messages[0]},
    }


def _takes_stream(service: str, method: str) -> bool:
    if not service.startswith("mailvet."):
        return False
    found = pool().FindServiceByName(service).methods_by_name[method]
    return bool(found.client_streaming)


PAGES = {
    "errors.md": errors_page,
    "settings.md": settings_page,
    "grpcui-examples.json": grpcui_examples,
}


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check only compare; returns the exit code."""
    stale = []
    for name, made in PAGES.items():
        path, text = DOCS / name, made()
        if not path.is_file() or path.read_text("utf-8") != text:
            stale.append(name)
            if "--check" not in arguments:
                path.write_text(text, "utf-8")
    if stale and "--check" in arguments:
        sys.stderr.write(f"docs differ from the code: {', '.join(stale)}; run 'make docs'\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
