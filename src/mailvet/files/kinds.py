"""What a file is, told by its content; its name only decides between kinds of text."""

from pathlib import Path

from mailvet.files.archive import workbook_kind
from mailvet.files.limits import MAX_TEXT_BYTES, MAX_WORKBOOK_BYTES, MIB
from mailvet.files.refusal import FileRefused

LINES, DELIMITED = "lines", "delimited"
TEXT = "text"
WORKBOOKS = ("xlsx", "xlsb", "xls", "ods")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Compound File Binary, MS-CFB 2.2; XLS is in one."""
_OLE_PACKAGE = "EncryptedPackage".encode("utf-16-le")
"""MS-OFFCRYPTO 2.3: an XLSX with a password is a compound file with such a stream."""
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_KNOWN_OTHERS = {
    b"%PDF-": "a PDF",
    b"\x1f\x8b": "compressed with gzip",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"{\\rtf": "an RTF document",
}
_MARKUP = (b"<html", b"<!doctype html", b"<table", b"<?xml")


def kind_of(path: Path, name: str) -> str:
    """Return `xlsx`, `xlsb`, `xls`, `ods` or `text`, having checked what can be a bomb.

    Raises FileRefused for other kinds, which are named, and for files beyond the limits.
    """
    with path.open("rb") as stream:
        head = stream.read(4096)
    size = path.stat().st_size
    if head.startswith((*_ZIP, _OLE)):
        _check_size(size, MAX_WORKBOOK_BYTES, name)
        return workbook_kind(path, name) if head.startswith(_ZIP) else _ole_kind(path, name)
    for mark, told in _KNOWN_OTHERS.items():
        if head.startswith(mark):
            raise FileRefused(name, f"it is {told}: send CSV, XLSX, XLS, ODS or plain lines")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_MARKUP):
        raise FileRefused(name, "it is HTML or XML: open it in a spreadsheet and save it as CSV")
    _check_size(size, MAX_TEXT_BYTES, name)
    return TEXT


def _check_size(size: int, most: int, name: str) -> None:
    if size > most:
        raise FileRefused(
            name, f"it has {size // MIB:,} MiB, the limit is {most // MIB:,}: send it in parts"
        )


def _ole_kind(path: Path, name: str) -> str:
    if _OLE_PACKAGE in path.read_bytes():
        raise FileRefused(name, "it is protected by a password: save it without")
    return "xls"
