"""A process of its own that writes an export: seconds of work that calls must not wait behind.

Run as `python -m mailvet.rpc.export_process JOB`, where JOB is the JSON of `Job`; the files are
open descriptors. It prints JSON lines: `{"prepared": N}` on its way, at last what `Written` has,
or `{"refused": [WHAT, WHY]}`.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import google_crc32c

from mailvet.files import FileRefused, ReadOptions, open_list
from mailvet.files.dialects import DIALECTS, OWN, BatchFacts, Dialect, own
from mailvet.files.plain import Record
from mailvet.files.spool import Answers, Spool
from mailvet.files.writers import write_beside, write_results
from mailvet.rpc.plain_results import plain_result

NOTE_EVERY = 10_000
"""Results between two words of progress: a fraction of a second."""
NICE = 5
"""Who verifies and answers calls comes first."""
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be written, from where to where."""

    results_fd: int
    """A spool of encoded results."""
    labels_fd: int
    """A spool of the labels of entries, each a JSON object."""
    out_fd: int
    form: str = ""
    """One of `files.writers.FORMATS`; empty for the uploaded file with columns added."""
    dialect: str
    columns: tuple[str, ...] = ()
    label_names: tuple[str, ...] = ()
    escape: bool = True
    facts: dict[str, str] = field(default_factory=dict)
    upload: str = ""
    """The path of the uploaded file."""
    upload_name: str = ""
    upload_options: dict[str, Any] = field(default_factory=dict)
    only_answered: bool = False
    """Leave rows of the uploaded file out that have no answer here."""

    def text(self) -> str:
        """The job as the process takes it."""
        return json.dumps(asdict(self))


class Written(NamedTuple):
    """The file that was written."""

    record_count: int
    size_bytes: int
    crc32c: int
    etag: str


def main(job: str) -> None:
    """Do one job."""
    os.nice(NICE)
    try:
        told: dict[str, Any] = _work(Job(**json.loads(job)))._asdict()
    except FileRefused as error:
        told = {"refused": [error.violations[0].field, error.violations[0].description]}
    except Exception as error:  # its text, or a traceback, could hold what is being written
        told = {
            "failed": f"{type(error).__name__} {getattr(error, 'strerror', None) or ''}".strip()
        }
    _tell(told)


def dialect_of(name: str, columns: tuple[str, ...], label_names: tuple[str, ...] = ()) -> Dialect:
    """Return a dialect by name; ours with its columns. Raises FileRefused for a wrong column."""
    return own(columns, label_names) if name == OWN.name else DIALECTS[name]


def _work(job: Job) -> Written:
    dialect = dialect_of(job.dialect, tuple(job.columns), tuple(job.label_names))
    with (
        os.fdopen(job.results_fd, "rb") as results,
        os.fdopen(job.out_fd, "w+b") as out,
    ):
        answers = Answers(Spool(results), _Counting(), _labels(job.labels_fd))
        if job.form:
            facts = BatchFacts(**job.facts)
            count = write_results(answers, out, job.form, dialect, facts=facts, escape=job.escape)
        else:
            count = _write_beside(job, dialect, answers, out)
        out.flush()
        return _summed(out, count)


def _write_beside(job: Job, dialect: Dialect, answers: Answers, out: BinaryIO) -> int:
    options = ReadOptions(**job.upload_options)
    with open_list(Path(job.upload), options, name=job.upload_name) as listed:
        return write_beside(
            listed, answers, out, dialect, escape=job.escape, only_answered=job.only_answered
        )


class _Counting:
    """Decodes results, and says now and then how many."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, document: bytes) -> Record:
        self._count += 1
        if not self._count % NOTE_EVERY:
            _tell({"prepared": self._count})
        return plain_result(document)


def _labels(fd: int) -> Callable[[int], dict[str, str]]:
    spool = Spool(os.fdopen(fd, "rb"))

    def labels(index: int) -> dict[str, str]:
        found = spool.get(index)
        return json.loads(found) if found else {}

    return labels


def _summed(out: BinaryIO, count: int) -> Written:
    out.seek(0)
    crc, digest, size = 0, blake2b(digest_size=16), 0
    while part := out.read(_READ_BYTES):
        crc = google_crc32c.extend(crc, part)
        digest.update(part)
        size += len(part)
    return Written(count, size, crc, digest.hexdigest())


def _tell(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
