"""What pages of docs/ say of the tests: which they name, and which are there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def names_of_tests(page: str) -> list[tuple[str, str]]:
    """The tests that a page names, as path and name."""
    return sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)))


def functions_of(path: str) -> set[str]:
    """The names of the functions that stand in a file of tests."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, functions)}
