"""The ways to break the store fit the store as it is, and are listed."""

from pathlib import Path

import pytest

from tests.store.mutations import ROOT, Mutation, mutated, mutations

LIST = (Path(__file__).parent / "README.md").read_text("utf-8")


@pytest.mark.parametrize("mutation", mutations(), ids=lambda one: one.name)
def test_a_mutation_can_still_be_made(mutation: Mutation) -> None:
    """What it changes stands in the source, and what comes of it is Python."""
    compile(mutated(mutation, ROOT / "src"), mutation.name, "exec")
    assert f"| {mutation.name} |" in LIST
