"""What mypyc takes and compiles to something else than Python runs, as far as it can be seen.

Each was met, or tried, with the version that requirements/dev.txt pins. Not to be seen here: of
bytes, `data[a:b]` fails where b is before a.
"""

import ast
from collections.abc import Iterator, Sequence

AWAIT_AT_THE_END = (
    "awaits in `finally`: an exception that is being handled elsewhere comes up again"
)
ITERATED = "is assigned in the loop over it: the loop would go on over the new value"
"""Past its end, if that is shorter and a tuple: then it crashes."""
SECOND_NAME = "is a second name of a method: there are no objects of the class then"
IDENTITY = "is a tuple and told by identity, which it has none of"
"""It is kept as its items, and made anew wherever an object is wanted."""


def hazards(source: str) -> list[tuple[int, str]]:
    """The lines of a module that it may not have when it is compiled, and why, in order."""
    module = ast.parse(source)
    found = {each for node in ast.walk(module) for each in _in_node(node)}
    return sorted(found | set(_identities(module)))


def _identities(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Comparisons by `is` with what the module has as a tuple."""
    tuples = {
        name.id
        for each in module.body
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Tuple)
        for name in each.targets
        if isinstance(name, ast.Name)
    }
    for node in _within([module]):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Is | ast.IsNot):
            for side in (node.left, *node.comparators):
                if isinstance(side, ast.Name) and side.id in tuples:
                    yield node.lineno, f"{side.id} {IDENTITY}"


def _in_node(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Try | ast.TryStar):
        for inner in _within(node.finalbody):
            if isinstance(inner, ast.Await | ast.AsyncWith | ast.AsyncFor):
                yield inner.lineno, AWAIT_AT_THE_END
    elif isinstance(node, ast.For):
        used = {name.id for name in _names([node.iter], ast.Load)}
        used -= {name.id for name in _names([node.iter], ast.Store)}  # of a comprehension
        for name in _names([node.target, *node.body], ast.Store):
            if name.id in used:
                yield name.lineno, f"{name.id} {ITERATED}"
    elif isinstance(node, ast.ClassDef):
        yield from _second_names(node)


def _second_names(node: ast.ClassDef) -> Iterator[tuple[int, str]]:
    methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
    for each in node.body:
        named = each.value if isinstance(each, ast.Assign) else None
        if isinstance(named, ast.Name) and named.id in methods:
            yield each.lineno, SECOND_NAME


def _names(nodes: Sequence[ast.AST], context: type[ast.expr_context]) -> Iterator[ast.Name]:
    for node in _within(nodes):
        if isinstance(node, ast.Name) and isinstance(node.ctx, context):
            yield node


def _within(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        yield from ast.walk(node)
