"""Every limit that requests are held to, with the reason for its size."""

MAX_ENTRIES_PER_CALL = 1_000
"""A unary call of this size is decoded and parsed in a few milliseconds of the event loop."""
MAX_ENTRIES_PER_FRAME = 10_000
"""A frame of an upload: as many ordinary addresses as fit well into `MAX_MESSAGE_BYTES`."""
MAX_ENTRIES_PER_BATCH = 10_000_000
"""Ten times the largest list we measured; larger ones are split by their owner."""
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""gRPC's own default, which every client library expects."""
MAX_INPUT_BYTES = 65_536
"""No address is so long; a longer line means that the file was cut up wrongly."""
MAX_FILE_BYTES = 2048 * 1024 * 1024
"""Some 60 million addresses as text; a larger file belongs into several batches."""
MAX_FILE_FRAME_BYTES = 3 * 1024 * 1024
"""Of a file, in one message: well within `MAX_MESSAGE_BYTES`."""
MAX_FILE_NAME_CHARACTERS = 255
MAX_LABELS_BYTES = 65_536
"""The other columns of a row: a hundred of ordinary length; further ones are left out."""
MAX_CUSTOM_CHARACTERS = 1_024
MAX_NAME_CHARACTERS = 200
MAX_DESCRIPTION_CHARACTERS = 2_000
MAX_LABELS = 32
MAX_LABEL_KEY_CHARACTERS = 63
MAX_LABEL_VALUE_CHARACTERS = 255
MAX_RULES = 100
"""A few more than people keep by hand; an entry is held against all of them at once."""
MAX_NOTE_CHARACTERS = 200
MAX_SCHEME_LABEL_CHARACTERS = 64
MAX_REQUEST_ID_CHARACTERS = 128
MAX_PRIORITY = 255

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1_000
MAX_PAGE_BYTES = 1024 * 1024
"""A page is cut here: well below the 4 MiB at which clients refuse a response."""

DEFAULT_RESULTS_PER_FRAME = 200
MAX_RESULTS_PER_FRAME = 1_000
MAX_FRAME_BYTES = 256 * 1024
"""One frame's bytes are copied in one go on both event loops; larger ones gain nothing."""

DEFAULT_HEARTBEAT_S = 15.0
MIN_HEARTBEAT_S = 5.0
MAX_HEARTBEAT_S = 60.0
"""Proxies cut a quiet stream after 60 s and more; HTTP/2 PINGs do not count for them."""
MAX_WAIT_S = 60.0
"""How long GetBatch waits: as long as a quiet connection is safe."""
MAX_BUDGET_S = 30.0
"""How long a real-time answer may take: callers have given up after that."""
MAX_EXPLAIN_S = 120.0
"""Who asks for an explanation watches it: a slow exchanger may take its full session deadline."""

MAX_ANSWER_AGE_S = 30 * 86_400.0
"""How old an answer may be that is reused: within a month a mailbox may come and go."""

MAX_VIOLATION_BYTES = 4_096
"""What is listed of wrong fields: all error details travel in HTTP/2 headers, which clients cut
off at 8 KiB. Every violation is counted, those that fit are listed."""
