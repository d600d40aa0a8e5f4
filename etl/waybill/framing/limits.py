"""Limits for reading landed bytes. The unit is bytes if no other is named."""

BLOCK = 256 * 1024
"""Size of one read."""

HIGHEST_RATIO = 250
"""Decompressed to compressed bytes; event logs reach 10 to 60."""
RATIO_COUNTS_FROM = 16 * 1024 * 1024
"""Decompressed bytes from which the ratio is checked."""
MOST_BYTES = 64 * 1024 * 1024 * 1024
"""Decompressed bytes of one object."""

LONGEST_RECORD = 16 * 1024 * 1024
LONGEST_BODY = 64 * 1024 * 1024
LONGEST_ROW = 1024 * 1024
KEPT_OF_LONG = 64 * 1024
"""Bytes that are kept of a longer record, body or row."""

MOST_LINES_OF_A_ROW = 200
"""Lines after which a quoted CSV field counts as not closed."""
ROWS_AT_ONCE = 4096
"""Rows of Parquet in memory."""
ROWS_BYTES_AT_ONCE = 16 * 1024 * 1024
"""Bytes of their cells as Python values."""
ROWS_COUNT_FROM = 100_000
"""Rows of Parquet from which their number is compared with the bytes of the file."""
LONGEST_CHUNK = 256 * 1024 * 1024
"""Bytes of a column in a row group of Parquet, unfolded."""
LONGEST_MEAN_CELL = 16 * 1024
"""Mean bytes of its cells."""

MOST_COLUMNS = 1000
"""Columns of a table."""
MOST_EMPTY_ROWS = 2_000_000
"""Empty rows or lines: a spreadsheet has 1,048,576 rows."""
MOST_PROBLEMS = 100_000
"""Records that cannot be read, in an object with fewer good records."""
MOST_ENVELOPES = 6
"""Nested envelopes."""
DEEPEST = 200_000
"""Open brackets."""
DEEP = 8 * 1024
"""Bytes that the JSON parser reads before it finds a value nested too deeply."""
MOST_WASTED = 8
WASTED_FROM = 64 * 1024 * 1024
"""Bytes that the JSON parser may read in vain: WASTED_FROM plus MOST_WASTED times the bytes of the object."""
MOST_MEMBERS = 10_000
"""Files in a zip archive."""
LONGEST_DIRECTORY = 4 * 1024 * 1024
"""The list of files of a zip archive."""
MEMORY_OF_XZ = 128 * 1024 * 1024
"""Memory for decompressing xz."""
