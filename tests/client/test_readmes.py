"""The programs that the clients' READMEs show: short, and each runs as it stands."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.process import environment
from tests.grpcurl import ROOT, TARGET, blocks, demo_server

CLIENTS = ROOT / "clients"
MOST_LINES = 24
"""A program of under 25 lines."""
FIRST_ANSWER_LINES = 10
"""What a reader types until there is an answer; imports, braces and blank lines are no effort."""
ADDRESSES = {"user1@plain.test": "DELIVERABLE", "nobody@plain.test": "UNDELIVERABLE"}
_NO_EFFORT = ("import ", "from ", "package ", "public class ", "\t", ")", "}")


@pytest.fixture(name="target", scope="module")
def _target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server in front of the demo's mail internet."""
    with demo_server(tmp_path_factory.mktemp("readmes")) as target:
        yield target


def run(command: list[str], folder: Path) -> str:
    """What a program says on standard output; its failure is the test's."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert 0 == done.returncode, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def python(folder: Path, program: str) -> str:
    """Run a program for Python."""
    (folder / "main.py").write_text(program, "utf-8")
    return run([sys.executable, "main.py"], folder)


def go(folder: Path, program: str) -> str:
    """Run a program for Go, in a module of its own."""
    (folder / "main.go").write_text(program, "utf-8")
    client = CLIENTS / "go"
    run(["go", "mod", "init", "example.test/readme"], folder)
    needs = ["-require=mailvet.dev/client@v0.0.0", f"-replace=mailvet.dev/client={client}"]
    run(["go", "mod", "edit", *needs], folder)
    # What the client needs, in the versions it has them: nothing is looked up.
    indirect = (client / "go.mod").read_text("utf-8").partition("require")[2]
    with (folder / "go.mod").open("a", encoding="utf-8") as module:
        module.write(f"\nrequire{indirect}")
    shutil.copy(client / "go.sum", folder)
    return run(["go", "run", "-mod=mod", "."], folder)


def typescript(folder: Path, program: str) -> str:
    """Compile a program for TypeScript strictly, and run it with the package as it is built."""
    package = CLIENTS / "typescript"
    modules = folder / "node_modules"
    (modules / "@mailvet").mkdir(parents=True)
    (modules / "@mailvet" / "client").symlink_to(package)
    (modules / "@types").symlink_to(package / "node_modules" / "@types")
    (folder / "package.json").write_text('{"type": "module"}', "utf-8")
    (folder / "main.ts").write_text(program, "utf-8")
    tsc = str(package / "node_modules" / ".bin" / "tsc")
    options = ["--strict", "--target", "es2022", "--module", "nodenext", "--types", "node"]
    run([tsc, *options, "main.ts"], folder)
    return run(["node", "main.js"], folder)


def java(folder: Path, program: str) -> str:
    """Compile a program for Java, and run it with the jar as it is built."""
    name = program.partition("public class ")[2].split()[0]
    (folder / f"{name}.java").write_text(program, "utf-8")
    built = CLIENTS / "java" / "target"
    path = os.pathsep.join([str(folder), str(built / "mailvet-client.jar"), f"{built}/lib/*"])
    run(["javac", "-Xlint:all", "-Werror", "-cp", path, f"{name}.java"], folder)
    return run(["java", "-cp", path, name], folder)


LANGUAGES = {"python": python, "go": go, "ts": typescript, "java": java}
FOLDERS = {"ts": "typescript"}


def programs(language: str) -> list[str]:
    """The first answer and the whole file, as the README has them."""
    readme = CLIENTS / FOLDERS.get(language, language) / "README.md"
    return blocks(readme.read_text("utf-8"), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_programs_are_short(language: str) -> None:
    """The first answer is a few lines, and no program has 25."""
    first, whole = programs(language)
    assert max(len(program.splitlines()) for program in (first, whole)) <= MOST_LINES
    effort = [line for line in first.splitlines() if line and not line.startswith(_NO_EFFORT)]
    assert len(effort) <= FIRST_ANSWER_LINES


@pytest.mark.conformance
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_answer_comes(language: str, target: str, tmp_path: Path) -> None:
    """The first program says what is known of its address."""
    first, _ = programs(language)
    assert TARGET in first
    said = LANGUAGES[language](tmp_path, first.replace(TARGET, target))
    assert "SUCCESS" in said
    assert "mx.plain.test accepts mail for it" in said


@pytest.mark.conformance
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_whole_file_is_verified(language: str, target: str, tmp_path: Path) -> None:
    """The second program has a line for every address of its file."""
    _, whole = programs(language)
    assert TARGET in whole
    (tmp_path / "addresses.txt").write_text("\n".join(ADDRESSES), "utf-8")
    said = LANGUAGES[language](tmp_path, whole.replace(TARGET, target))
    answers = dict(line.split(" ") for line in said.splitlines())
    named = {name: text.removeprefix("CLASSIFICATION_") for name, text in answers.items()}
    assert ADDRESSES == named
