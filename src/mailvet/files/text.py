"""How the bytes of a text file become characters: byte order mark, declaration, UTF-8, cp1252.

A short list in an old code page cannot be told from another by statistics (they take cp1252 for
Korean); what is no UTF-8 and not declared is therefore cp1252, what spreadsheets of old save.
"""

import codecs
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from mailvet.files.limits import MAX_LINE_CHARACTERS, SAMPLE_BYTES
from mailvet.files.refusal import FileRefused

FALLBACK = "cp1252"
_CHUNK_BYTES = 1 << 20
_BOMS = (  # UTF-32 first: its little-endian mark begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_NOT_FOR_FILES = frozenset(
    {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7"}
)
"""Python counts them as text encodings; no file is in them, and some run slowly on purpose."""
_ENDINGS = {"crlf": "\r\n", "lf": "\n", "cr": "\r"}
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\x1a")
_MAX_CONTROL_SHARE = 0.05
"""Text has no control characters to speak of; 5% forgives a damaged line or two."""
_MIN_NUL_SHARE = 0.3
"""In UTF-16 every second byte of ASCII is NUL; in European text nearly so."""


class Encoding(NamedTuple):
    """A codec and why it was chosen."""

    codec: str
    reason: str


def find_encoding(path: Path, declared: str | None, name: str) -> Encoding:
    """Return the encoding of a text file, having looked at all of it but kept nothing.

    Raises FileRefused when a declared encoding is unknown or the file is no text.
    """
    codec = _checked(declared, name) if declared else None
    with path.open("rb") as stream:
        head = stream.read(SAMPLE_BYTES)
    for mark, marked in _BOMS:
        if head.startswith(mark):
            return Encoding(marked, "byte order mark")
    if codec:
        return Encoding(codec, "as declared")
    guessed = _utf16_without_mark(head)
    if guessed:
        return Encoding(guessed, "every second byte is zero")
    if _is_binary(head):
        raise FileRefused(name, "it is no text, nor a spreadsheet: send CSV, XLSX, XLS or ODS")
    if _is_utf8(path):
        return Encoding("utf-8", "valid UTF-8")
    return Encoding(FALLBACK, "no valid UTF-8 and nothing declared")


def ending_of(text: str | None, name: str) -> str:
    """Return the line ending somebody asked for, empty for any; raises FileRefused for another."""
    if text is None:
        return ""
    if text not in _ENDINGS:
        raise FileRefused(name, f"the line ending {text!r} cannot be: it is crlf, lf or cr")
    return _ENDINGS[text]


def lines_of(path: Path, codec: str, ending: str = "") -> Iterator[str]:
    """Yield the lines with their ends; one that is too long comes in pieces.

    Each of CR LF, LF and CR ends a line, with `ending` only that one. What the encoding does not
    know becomes U+FFFD.
    """
    with path.open(encoding=codec, errors="replace", newline=ending) as stream:
        yield from iter(partial(stream.readline, MAX_LINE_CHARACTERS), "")


def _checked(declared: str, name: str) -> str:
    try:
        info = codecs.lookup(declared)
    except (LookupError, ValueError):
        info = None
    if info is None or not _is_for_files(info):
        raise FileRefused(name, f"the encoding {declared!r} is unknown: write one such as utf-8")
    return info.name


def _is_for_files(info: codecs.CodecInfo) -> bool:
    is_text = getattr(info, "_is_text_encoding", True)
    return bool(is_text) and info.name.replace("_", "-") not in _NOT_FOR_FILES


def _utf16_without_mark(head: bytes) -> str:
    half = max(len(head) // 2, 1)
    if head[1::2].count(0) / half > _MIN_NUL_SHARE and not head[::2].count(0):
        return "utf-16-le"
    if head[::2].count(0) / half > _MIN_NUL_SHARE and not head[1::2].count(0):
        return "utf-16-be"
    return ""


def _is_binary(head: bytes) -> bool:
    controls = sum(head.count(byte) for byte in range(32) if byte not in _TEXT_CONTROLS)
    return controls > _MAX_CONTROL_SHARE * len(head)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        try:
            while chunk := stream.read(_CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
