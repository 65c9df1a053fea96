"""Prints the rows of a segment from one offset to another, by PyArrow, page checksums verified: FILE FIRST-ROW LAST-ROW
FIRST-OFFSET LAST-OFFSET."""

import sys

import pyarrow as pa
import pyarrow.parquet as pq
from lines import line

path, _, _, first, last = sys.argv[1:]
table = pq.read_table(
    path,
    filters=[("offset", ">=", int(first)), ("offset", "<=", int(last))],
    page_checksum_verification=True,
)
at = table.schema.get_field_index("timestamp")
table = table.set_column(at, "timestamp", table.column(at).cast(pa.int64()))
for row in table.to_pylist():
    print(line(*row.values()))
