"""What has to be so that a release can be made."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mailvet import __version__
from tests.grpcurl import ROOT

SCRIPTS = ROOT / "scripts"


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path) -> Path:
    """A folder with the API, released as it is."""
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    shutil.copytree(ROOT / "proto", tmp_path / "proto")
    binpb = ROOT / "src" / "mailvet" / "v1" / "mailvet.binpb"
    shutil.copy(binpb, tmp_path / "proto" / "released.binpb")
    return tmp_path


def breaking(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the gate."""
    command = [str(SCRIPTS / "check_breaking.sh"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def changed(folder: Path, before: str, after: str, file: str = "batch.proto") -> None:
    """Change a proto; that of batches when no other is named."""
    path = folder / "proto" / "mailvet" / "v1" / file
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


def test_there_is_one_version() -> None:
    """Every client says the version of the package."""
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "version.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, f"{__version__}\n", "") == (done.returncode, done.stdout, done.stderr)


def test_the_released_api_breaks_nothing(checkout: Path) -> None:
    """The gate is open for what was released."""
    done = breaking(checkout)
    assert (0, "") == (done.returncode, done.stderr)


def test_before_the_first_release_everything_may_change(checkout: Path) -> None:
    """Without descriptors of a release there is nothing to break."""
    (checkout / "proto" / "released.binpb").unlink()
    changed(checkout, "string input_data = 1;", "bytes input_data = 1;")
    done = breaking(checkout)
    assert (0, True) == (done.returncode, done.stdout.startswith("no release yet"))


def test_a_new_field_is_welcome(checkout: Path) -> None:
    """The API may grow."""
    more = "string input_data = 1;\n  // New.\n  string quite_new = 77;"
    changed(checkout, "string input_data = 1;", more)
    assert 0 == breaking(checkout).returncode


@pytest.mark.parametrize(
    "after",
    ["bytes input_data = 1;", "string input_text = 1;", "string input_data = 78;", ""],
)
def test_what_breaks_callers_is_refused(checkout: Path, after: str) -> None:
    """A field keeps its type, name and number, and stays."""
    changed(checkout, "string input_data = 1;", after)
    done = breaking(checkout)
    assert done.returncode != 0
    assert "batch.proto" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("batch_service.proto", "rpc WatchBatch(", "rpc FollowBatch("),
        (
            "batch_service.proto",
            "returns (stream WatchBatchResponse)",
            "returns (WatchBatchResponse)",
        ),
        ("batch_service.proto", "service BatchService {", "service ListService {"),
        ("result_service.proto", "repeated Result results = 1;", "Result results = 1;"),
        ("result_service.proto", "  optional bool follow = 3;", "  bool follow = 3;"),
        ("status.proto", "CLASSIFICATION_RISKY = 2;", "CLASSIFICATION_DOUBTFUL = 2;"),
        ("status.proto", 'java_package = "dev.mailvet.v1"', 'java_package = "org.mailvet.v1"'),
    ],
)
def test_services_values_and_packages_stay(
    file: str, before: str, after: str, checkout: Path
) -> None:
    """What programs in some language name, or what goes over the wire, is not changed."""
    changed(checkout, before, after, file)
    done = breaking(checkout)
    assert done.returncode != 0
    assert file in done.stdout + done.stderr


def test_the_page_names_what_is_there() -> None:
    """docs/releasing.md speaks of scripts and targets that exist."""
    page = (ROOT / "docs" / "releasing.md").read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for script in re.findall(r"scripts/[a-z_]+\.\w+", page):
        assert (ROOT / script).is_file(), script
    for target in re.findall(r"`make ([a-z-]+)`", page):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
