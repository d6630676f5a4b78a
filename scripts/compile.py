#!/usr/bin/env python3
"""Compiles the modules that every entry passes through, with mypyc, into build/compiled.

compile.py            makes a copy of the package there, with extension modules beside the sources
compile.py --check    only has mypyc read the modules: no C compiler, a quarter of a minute
compile.py --hazards  only looks for what mypyc compiles to something else (scripts/hazards.py)

`PYTHONPATH=build/compiled` runs the copy; src/ stays as it is. Which modules is told in
pyproject.toml, `tool.mailvet.compiled`. Nothing is done when nothing has changed since.
"""

import contextlib
import hashlib
import os
import shutil
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hazards import hazards
from mypy import version as mypy_version
from mypyc.build import mypycify
from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "src"
COMPILED = ROOT / "build" / "compiled"
WORK = ROOT / "build" / "compiling"
STAMP = WORK / "stamp"

OPTIMIZATION = "2"
"""Of the C compiler; 1 takes a fifth less time."""

ONE_LIBRARY = ("-fvisibility=hidden", "-fno-semantic-interposition")
"""All modules are one library, which calls itself directly: nobody else names its functions."""

LENIENT = ("--no-warn-return-any", "--no-warn-unused-ignores")
"""Strict about types is `make lint`; read for mypyc, a few expressions have others."""


def listed() -> list[str]:
    """The modules to compile, as paths below src/; raises `SystemExit` for a name that is none."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = settings["tool"]["mailvet"]["compiled"]
    chosen = {name for pattern in wanted["modules"] for name in _matches(pattern)}
    plain = {name for pattern in wanted["plain"] for name in _matches(pattern)}
    return sorted(name for name in chosen - plain if not name.endswith("__init__.py"))


def _matches(pattern: str) -> list[str]:
    found = [str(path.relative_to(SOURCES)) for path in SOURCES.glob(pattern)]
    if not found:
        raise SystemExit(f"pyproject.toml, tool.mailvet.compiled: there is no {pattern}")
    return found


def refuse_hazards(modules: list[str]) -> None:
    """Raise `SystemExit` with the lines that mypyc would compile to something else."""
    found = [
        f"src/{name}:{line}: {why}"
        for name in modules
        for line, why in hazards((SOURCES / name).read_text("utf-8"))
    ]
    if found:
        raise SystemExit("\n".join(found))


def fingerprint(modules: list[str]) -> str:
    """What a compiled copy depends on, as one word."""
    told = hashlib.sha256()
    for word in (sys.version, mypy_version.__version__, *modules):
        told.update(word.encode() + b"\0")
    for path in (Path(__file__), *_package()):
        told.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return told.hexdigest()


def _package() -> list[Path]:
    package = SOURCES / "mailvet"
    return sorted(path for path in package.rglob("*.*") if "__pycache__" not in path.parts)


def generate(modules: list[str]) -> list[Extension]:
    """Have mypyc write the C of the modules; raises `SystemExit` with what it does not take."""
    WORK.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(SOURCES):  # the paths that tracebacks will show
        return mypycify(
            ["--config-file", str(ROOT / "pyproject.toml"), *LENIENT, *modules],
            opt_level=OPTIMIZATION,
            debug_level="0",
            multi_file=True,
            target_dir=str(WORK),
            group_name="mailvet",
        )


class ParallelBuild(build_ext):
    """Compiles the sources of one extension on all cores; setuptools would one after the other."""

    def build_extension(self, ext: Any) -> None:
        """Compile what is newer than its object file, then link."""
        newest_header = max((_changed(name) for name in ext.depends), default=0.0)
        flags = [*ext.extra_compile_args, *ONE_LIBRARY, "-w"]

        def one(source: str) -> str:
            place = self.compiler.object_filenames([source], output_dir=self.build_temp)[0]
            if _changed(place) <= max(newest_header, _changed(source), _changed(__file__)):
                self.compiler.compile(
                    [source],
                    output_dir=self.build_temp,
                    include_dirs=ext.include_dirs,
                    extra_postargs=flags,
                )
            return str(place)

        largest_first = sorted(ext.sources, key=lambda name: -Path(name).stat().st_size)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            ext.extra_objects = list(pool.map(one, largest_first))
        ext.sources = []
        super().build_extension(ext)


def _changed(name: str) -> float:
    path = Path(name)
    return path.stat().st_mtime if path.exists() else 0.0


def build(extensions: list[Extension]) -> None:
    """Copy the package, and compile and link the extensions into the copy."""
    shutil.rmtree(COMPILED, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(SOURCES / "mailvet", COMPILED / "mailvet", ignore=ignored)
    distribution = Distribution({"name": "mailvet", "ext_modules": extensions})
    command = ParallelBuild(distribution)
    command.build_lib = str(COMPILED)
    command.build_temp = str(WORK / f"objects-{sysconfig.get_config_var('SOABI')}")
    command.force = True  # the copy is new
    command.ensure_finalized()
    command.run()


@contextlib.contextmanager
def _unchanged_unless_done(word: str) -> Iterator[None]:
    STAMP.unlink(missing_ok=True)
    yield
    STAMP.write_text(word)


def main(arguments: list[str]) -> int:
    """Compile, or check; returns the exit code."""
    modules = listed()
    refuse_hazards(modules)
    if "--hazards" in arguments:
        return 0
    if "--check" in arguments:
        generate(modules)
        return 0
    word = fingerprint(modules)
    if STAMP.exists() and STAMP.read_text() == word:
        return 0
    with _unchanged_unless_done(word):
        build(generate(modules))
    sys.stdout.write(f"{len(modules)} modules are compiled: PYTHONPATH={COMPILED}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
