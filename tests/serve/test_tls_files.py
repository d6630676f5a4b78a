"""Whether a certificate and a key would serve."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from mailvet.serve.tls_files import tls_fault


@pytest.fixture(name="pair")
def _pair(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate and its key."""
    return written(tmp_path, "good")


def written(folder: Path, name: str, **options: Any) -> tuple[Path, Path]:
    """Write a certificate, with the one it was signed with, and its key."""
    made = trustme.CA().issue_cert("mail.example.org", **options)
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    for blob in made.cert_chain_pems:
        blob.write_to_path(certificate, append=True)
    made.private_key_pem.write_to_path(key)
    return certificate, key


def test_a_valid_pair_has_no_fault(pair: tuple[Path, Path]) -> None:
    """Who signed it does not matter here."""
    assert "" == tls_fault(*pair)


def test_a_near_end_is_told(tmp_path: Path) -> None:
    """A fortnight before, there is time to renew."""
    now = datetime.now(UTC)
    pair = written(tmp_path, "near", not_after=now + timedelta(days=3, hours=1))
    assert tls_fault(*pair).endswith("near.pem ends in 3 days")
    assert "" == tls_fault(*pair, now=(now - timedelta(days=30)).timestamp())


def test_an_end_that_has_passed_is_told(tmp_path: Path) -> None:
    """Callers would refuse it."""
    day = timedelta(days=1)
    now = datetime.now(UTC)
    pair = written(tmp_path, "old", not_before=now - 9 * day, not_after=now - day)
    assert "certificate has expired" in tls_fault(*pair)


def test_two_that_are_strangers(pair: tuple[Path, Path], tmp_path: Path) -> None:
    """A key of another certificate does not serve."""
    _, other = written(tmp_path, "other")
    assert "do not go together" in tls_fault(pair[0], other)


def test_a_file_that_is_not_there(pair: tuple[Path, Path], tmp_path: Path) -> None:
    """It is named."""
    assert "cannot read" in tls_fault(tmp_path / "no.pem", pair[1])
