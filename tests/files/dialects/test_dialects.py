"""Every dialect against its vendor's own documented sample, field by field."""

import io
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from mailvet.files.dialects import DIALECTS, BatchFacts
from mailvet.files.plain import plain_result
from mailvet.files.writers import write_results
from tests.files.results import answers, result

CASES: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parents[2] / "cases" / "dialects.toml").read_text("utf-8")
)["case"]


def written(form: str, dialect: str, *results: dict[str, Any]) -> str:
    """The whole file."""
    out = io.BytesIO()
    facts = BatchFacts(batch_id="b-1", state="COMPLETED", create_time="2024-01-15T09:30:00Z")
    write_results(
        answers(result(**each) for each in results), out, form, DIALECTS[dialect], facts=facts
    )
    return out.getvalue().decode()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['dialect']}: {case['name']}")
def test_a_result_is_said_as_the_vendor_shows_it(case: dict[str, Any]) -> None:
    """The same fields in the same order with the same values, types included."""
    said = DIALECTS[case["dialect"]].record(plain_result(result(**case["result"])))
    assert json.dumps(json.loads(case["record"])) == json.dumps(said)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_table_has_a_column_for_every_field(name: str) -> None:
    """No field that a vendor's sample has is lost in a table."""
    reached = {column.partition(".")[0] for column in DIALECTS[name].columns}
    for case in (case for case in CASES if case["dialect"] == name):
        assert set(json.loads(case["record"]) or ()) <= reached


def test_emailyze_repeats_the_answer_of_a_duplicate() -> None:
    """As its page has it: three results for three inputs, processed counts those that differ."""
    document = json.loads(
        written(
            "json",
            "emailyze",
            {"index": 0, "input_data": "a@x.com", "complete_time": 1000.0},
            {"index": 1, "input_data": "b@y.com", "complete_time": 1000.156},
            {"index": 2, "input_data": "A@x.com", "status": "DUPLICATE", "duplicate_of": 0},
        )
    )
    assert ["results", "processed", "cached", "processing_time_ms"] == list(document)
    assert (2, 0, 156) == tuple(document[name] for name in list(document)[1:])
    assert ["a@x.com", "b@y.com", "A@x.com"] == [each["email"] for each in document["results"]]
    assert "x.com" == document["results"][2]["domain"]


def test_verifalia_stands_its_entries_under_data() -> None:
    """An object with `data`, in the order of the input."""
    entries = [{"index": 1, "input_data": "b@b.test"}, {"index": 0, "input_data": "a@a.test"}]
    document = json.loads(written("json", "verifalia", *entries))
    assert [0, 1] == [entry["index"] for entry in document["data"]]


def test_whoisxml_stands_its_items_under_response() -> None:
    """As its sample of completed requests."""
    assert ["response"] == list(json.loads(written("json", "whoisxml", {})))
    assert "<response>\n<item><emailAddress>" in written("xml", "whoisxml", {})


def test_apexverify_has_its_batch_object_around_the_rows() -> None:
    """The three fields of its page, in its names, before the rows."""
    document = json.loads(written("json", "apexverify", {}))
    assert ["status", "batch_uuid", "created_at", "results"] == list(document)
    assert ("completed", "b-1") == (document["status"], document["batch_uuid"])
    assert "2024-01-15T09:30:00Z" == document["created_at"]


@pytest.mark.parametrize("name", ["user-cleaning", "apexverify"])
def test_duplicates_are_left_out_where_the_vendor_removes_them(name: str) -> None:
    """One row for two entries."""
    duplicate = {"index": 1, "status": "DUPLICATE", "duplicate_of": 0}
    assert 2 == len(written("csv", name, {}, duplicate).splitlines())
