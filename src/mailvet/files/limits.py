"""How much of a file is read at most; each number with its reason.

A list of addresses is small: 10 million lines of 30 characters are 300 MB.
"""

MIB = 1 << 20

MAX_TEXT_BYTES = 2048 * MIB
"""Some 60 million addresses; more belongs into several batches."""
MAX_WORKBOOK_BYTES = 100 * MIB
"""A full sheet (1,048,576 rows) of ten columns is about 60 MB packed."""
MAX_UNPACKED_BYTES = 256 * MIB
"""Unpacked XML of such a sheet without styles; more is a bomb or better sent as CSV (CWE-409)."""
MAX_RATIO = 100
"""Sheet XML packs about 10 to 40 times; bombs more than 1,000 times."""
RATIO_FLOOR_BYTES = 4 * MIB
"""Small parts may repeat themselves as they like: they cannot fill a memory."""
MAX_PARTS = 1_000
"""A workbook of 200 sheets has some 450 parts."""
MAX_LINE_CHARACTERS = 128 * 1024
"""As much as the csv module takes for one field; an address has 320."""
MAX_RECORD_CHARACTERS = 1 << 20
"""A row with a few long notes; a longer one is a quote that was never closed."""
MAX_COLUMNS = 16_384
"""What a sheet can have; a text file with more has the wrong delimiter."""
MAX_REPAIRS = 1_000
"""Stray quotes put up with; each costs a second look at up to MAX_LINE_CHARACTERS."""
SAMPLE_ROWS = 200
"""Rows looked at to find delimiter, header and column: enough to outvote a few bad ones."""
SAMPLE_BYTES = 256 * 1024
"""The same for bytes."""
BAD_ROW_SAMPLES = 10
"""Enough to see a pattern."""
SAMPLE_TEXT_CHARACTERS = 80
"""Of a bad row, for people."""
CHILD_MEMORY_BYTES = 1536 * MIB
"""A dense sheet of 1,048,576 rows and ten columns needs about 600 MB in the reading process."""
CHILD_CPU_S = 120
"""Thirty times what such a sheet takes."""
