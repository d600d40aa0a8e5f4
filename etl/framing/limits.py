"""How much of landed bytes is read at once, and how much of it may be one thing. Bytes, where nothing else is said."""

BLOCK = 256 * 1024
"""Read at once."""

HIGHEST_RATIO = 250
"""Decompressed to compressed bytes; logs of events reach 10 to 60."""
RATIO_COUNTS_FROM = 64 * 1024 * 1024
"""Decompressed bytes from which the ratio is looked at."""
MOST_BYTES = 64 * 1024 * 1024 * 1024
"""Decompressed bytes of one object."""

LONGEST_RECORD = 16 * 1024 * 1024
LONGEST_BODY = 64 * 1024 * 1024
LONGEST_ROW = 1024 * 1024
KEPT_OF_LONG = 64 * 1024
"""Kept of what is longer than that."""

MOST_LINES_OF_A_ROW = 200
"""Lines after which a quoted field of CSV counts as never closed."""
ROWS_AT_ONCE = 4096
"""Rows of Parquet in memory."""
