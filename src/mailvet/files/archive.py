"""Whether a ZIP that says it is a spreadsheet may be unpacked: sizes declared, then counted.

CWE-409 (bombs), CWE-776 (entities). Nothing is believed: what the central directory declares is
checked first, because it is cheap, then every part is really inflated and counted.
"""

import re
import zipfile
import zlib
from pathlib import Path
from typing import IO

from mailvet.files.limits import (
    MAX_PARTS,
    MAX_RATIO,
    MAX_UNPACKED_BYTES,
    MIB,
    RATIO_FLOOR_BYTES,
)
from mailvet.files.refusal import FileRefused

_CHUNK_BYTES = 1 << 18
_ENCRYPTED = 0x1
_NESTED = (".zip", ".xlsx", ".xlsm", ".xlsb", ".ods", ".gz", ".7z", ".rar")
_XML = (".xml", ".rels")
_ENTITY = re.compile(rb"<!\s*ENTITY", re.IGNORECASE)
_UNPACKED = f"unpacked it is larger than {MAX_UNPACKED_BYTES // MIB} MiB: send it as CSV"
_MIMETYPE_ODS = b"application/vnd.oasis.opendocument.spreadsheet"


def workbook_kind(path: Path, name: str) -> str:
    """Return `xlsx`, `xlsb` or `ods`; raises FileRefused for any other archive and for bombs."""
    try:
        with zipfile.ZipFile(path) as archive:
            kind = _kind(archive, name)
            _check_directory(archive.infolist(), name)
            _check_contents(archive, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise FileRefused(name, f"the workbook is damaged or cut off ({error})") from None
    return kind


def _kind(archive: zipfile.ZipFile, name: str) -> str:
    names = set(archive.namelist())
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        return "xlsb"
    if "mimetype" in names and "content.xml" in names:
        with archive.open("mimetype") as part:
            if part.read(len(_MIMETYPE_ODS)) == _MIMETYPE_ODS:
                return "ods"
    raise FileRefused(name, "it is an archive, no spreadsheet: unpack it and send the list inside")


def _check_directory(parts: list[zipfile.ZipInfo], name: str) -> None:
    if len(parts) > MAX_PARTS:
        raise FileRefused(name, f"it has {len(parts):,} parts, a workbook at most {MAX_PARTS:,}")
    if len({part.filename for part in parts}) < len(parts):
        raise FileRefused(name, "two of its parts have the same name: save it afresh")
    if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise FileRefused(name, _UNPACKED)
    for part in parts:
        if part.flag_bits & _ENCRYPTED:
            raise FileRefused(name, "it is protected by a password: save it without")
        if part.filename.lower().endswith(_NESTED) and not part.filename.startswith("xl/embed"):
            raise FileRefused(name, "it has an archive inside: send the list itself")
        _check_ratio(part.file_size, part.compress_size, name)


def _check_ratio(unpacked: int, packed: int, name: str) -> None:
    if unpacked > RATIO_FLOOR_BYTES and unpacked > MAX_RATIO * max(packed, 1):
        raise FileRefused(
            name, f"it unpacks to more than {MAX_RATIO} times its size, as bombs do: send CSV"
        )


def _check_contents(archive: zipfile.ZipFile, name: str) -> None:
    """Inflate every part and count; the module stops at the declared size and checks the sum."""
    total = 0
    for part in archive.infolist():
        with archive.open(part) as stream:
            size = _inflate(stream, part.filename, name)
        total += size
        if total > MAX_UNPACKED_BYTES:
            raise FileRefused(name, _UNPACKED)


def _inflate(stream: IO[bytes], part: str, name: str) -> int:
    size = 0
    while chunk := stream.read(_CHUNK_BYTES):
        if not size and part.lower().endswith(_XML) and _ENTITY.search(chunk):
            raise FileRefused(name, "it declares XML entities, which no spreadsheet needs")
        size += len(chunk)
    return size
