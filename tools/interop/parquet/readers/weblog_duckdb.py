"""Prints what a topic of web logs holds, by DuckDB over its folder: FOLDER. Counts, the least offset, the greatest timestamp in
milliseconds, then what filters on the JSON value, on the key and on a header find."""

import sys

import duckdb

(folder,) = sys.argv[1:]
row = duckdb.execute(
    """
    WITH log AS (SELECT *, CAST(decode("value") AS JSON) AS j FROM read_parquet(?, hive_partitioning = true))
    SELECT count(*), min("offset"), epoch_ms(max("timestamp")),
        count(*) FILTER (WHERE j->>'$.response.status' = '503'),
        count(DISTINCT "key"),
        count(*) FILTER (WHERE list_contains(list_transform(headers, lambda h: decode(h."value")), 'canary')),
        count(DISTINCT "partition")
    FROM log
    """,
    [folder + "/**/*.parquet"],
).fetchone()
print(*row)
