"""How results and progress look."""

import io

import pytest
from google.protobuf.duration_pb2 import Duration

from mailvet.cli.show import CSV_COLUMNS, ResultPrinter, as_dict, progress_text, summary
from mailvet.v1 import batch_pb2, result_pb2, status_pb2


def result(index: int, text: str = "x@y.test", **fields: object) -> result_pb2.Result:
    """A result of a known mailbox."""
    message = result_pb2.Result(
        index=index,
        input_data=text,
        status=status_pb2.ENTRY_STATUS_SUCCESS,
        classification=status_pb2.CLASSIFICATION_DELIVERABLE,
    )
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def printed(style: str, *results: result_pb2.Result) -> list[str]:
    """What the printer writes, line by line."""
    out = io.StringIO()
    printer = ResultPrinter(style, out=out)
    for one in results:
        printer.add(one)
    printer.finish()
    return out.getvalue().splitlines()


def test_results_come_in_input_order() -> None:
    """However they arrive, each waits for those before it."""
    out = io.StringIO()
    printer = ResultPrinter("table", out=out)
    printer.add(result(1, "b@y.test"))
    assert "" == out.getvalue()
    printer.add(result(0, "a@y.test"))
    assert ["a@y.test", "b@y.test"] == [line.split()[2] for line in out.getvalue().splitlines()]


def test_holes_do_not_hold_back_the_rest() -> None:
    """A cancelled batch has holes: what is there is printed at the end."""
    assert 2 == len(printed("json", result(7), result(3)))


def test_a_list_cannot_command_the_terminal() -> None:
    """Control characters and reversed writing come out escaped, in input and in replies."""
    (line,) = printed("table", result(0, "\x1b[2J\u202ex@y.test", explanation="\x1b[31m"))
    assert r"\x1b[2J\u202ex@y.test" in line
    assert "\x1b" not in line


@pytest.mark.parametrize(
    "text", ["=1+1@y.test", "+x@y.test", "-x@y.test", "@SUM(A1)", "\t=x", "|x"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    """A spreadsheet takes no address for a formula."""
    header, row = printed("csv", result(0, text))
    assert ",".join(CSV_COLUMNS) == header
    assert row.startswith("'")


def test_a_newer_servers_values_are_shown_by_number() -> None:
    """A status this client does not know is its number; what is not set is null."""
    shown = as_dict(result_pb2.Result(status=999))  # type: ignore[arg-type]
    assert ("999", None, None) == (shown["status"], shown["classification"], shown["duplicate_of"])


def test_progress_is_one_line() -> None:
    """Bar, counts, rate, time, retries and what holds the work up."""
    count = batch_pb2.ClassificationCount
    progress = batch_pb2.Progress(
        entry_count=2000,
        result_count=1000,
        waiting_count=3,
        rate=1234.5,
        remaining_time=Duration(seconds=9),
        hindrances=[batch_pb2.Hindrance(kind="LOCAL_EGRESS_UNAVAILABLE")],
        classifications=[
            count(classification=status_pb2.CLASSIFICATION_UNKNOWN, count=600),
            count(classification=status_pb2.CLASSIFICATION_DELIVERABLE, count=400),
        ],
    )
    assert (
        "[####....] 1,000/2,000  1,234/s  9 s left  3 waiting for a retry  "
        "LOCAL_EGRESS_UNAVAILABLE  deliverable 400  unknown 600"
    ) == progress_text(progress, bar_width=8)


def test_an_empty_batch_has_a_line_too() -> None:
    """No entries is no division by nothing."""
    assert "[....] 0/0" == progress_text(batch_pb2.Progress(), bar_width=4)
    assert ["0 answers in 0.0 s (0/s)"] == list(summary(batch_pb2.Progress(), 0.0))
