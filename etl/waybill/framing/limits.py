"""How much of landed bytes is read at once, and how much of it may be one thing. Bytes, where nothing else is said."""

BLOCK = 256 * 1024
"""Read at once."""

HIGHEST_RATIO = 250
"""Decompressed to compressed bytes; logs of events reach 10 to 60."""
RATIO_COUNTS_FROM = 16 * 1024 * 1024
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
ROWS_BYTES_AT_ONCE = 16 * 1024 * 1024
"""Their cells as Python's values."""
ROWS_COUNT_FROM = 100_000
"""Rows of Parquet from which they are compared with the bytes of the file."""
LONGEST_CHUNK = 256 * 1024 * 1024
"""A column of a row group of Parquet, unfolded."""
LONGEST_MEAN_CELL = 16 * 1024
"""The mean of its cells."""

MOST_COLUMNS = 1000
"""Columns of a table."""
MOST_EMPTY_ROWS = 2_000_000
"""Rows or lines with nothing in them: a spreadsheet has 1,048,576 rows."""
MOST_PROBLEMS = 100_000
"""Records that are no objects or rows, in an object that has fewer good ones."""
MOST_ENVELOPES = 6
"""Envelopes around envelopes."""
DEEPEST = 200_000
"""Brackets open at once."""
DEEP = 8 * 1024
"""What the JSON parser reads before it finds a value nested too deeply."""
MOST_WASTED = 8
WASTED_FROM = 64 * 1024 * 1024
"""Bytes that the JSON parser may look at in vain: so many, and so many times those of the object."""
MOST_MEMBERS = 10_000
"""Files in a zip archive."""
LONGEST_DIRECTORY = 4 * 1024 * 1024
"""The list of files of a zip archive."""
MEMORY_OF_XZ = 128 * 1024 * 1024
"""What decompressing xz may need."""
