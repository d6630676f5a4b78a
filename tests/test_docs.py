"""The pages of docs/ that are made from the code."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "scripts" / "write_docs.py"


def test_the_pages_agree_with_the_code() -> None:
    """Every error reason and every setting stands in docs/ as the code has it."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)
