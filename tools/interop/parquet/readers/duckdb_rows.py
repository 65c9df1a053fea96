"""Prints the rows of a segment from one offset to another, by DuckDB: FILE FIRST-ROW LAST-ROW FIRST-OFFSET LAST-OFFSET."""

import sys

import duckdb
from lines import line

path, _, _, first, last = sys.argv[1:]
columns = """ "offset", epoch_ms("timestamp"), "key", "value", headers, timestamp_type, producer_id, producer_epoch, "sequence",
    raw_timestamp, raw_header_keys """
query = f"""SELECT {columns} FROM read_parquet(?) WHERE "offset" BETWEEN ? AND ? ORDER BY "offset" """
for row in duckdb.execute(query, [path, int(first), int(last)]).fetchall():
    print(line(*row))
