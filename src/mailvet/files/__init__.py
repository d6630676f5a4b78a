"""Lists of addresses in files, and results out as files: nothing here knows the wire.

`readers.open_list` turns a file into rows; `writers.write_results` turns results into a file,
in our own columns or in a vendor's.
"""

from mailvet.files.readers import AddressList, open_list
from mailvet.files.refusal import FileRefused
from mailvet.files.rows import BadRow, FileRow, Reading, ReadOptions

__all__ = [
    "AddressList",
    "BadRow",
    "FileRefused",
    "FileRow",
    "ReadOptions",
    "Reading",
    "open_list",
]
