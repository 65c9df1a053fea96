"""Prints what a topic of web logs holds, by PyArrow over a bucket: BUCKET/FOLDER. The same as weblog_duckdb.py; the store is what
the AWS_* variables say."""

import json
import os
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyarrow.fs import S3FileSystem

(folder,) = sys.argv[1:]
store = S3FileSystem(endpoint_override=os.environ["AWS_ENDPOINT_URL"], region=os.environ["AWS_REGION"])
log = ds.dataset(folder, filesystem=store, format="parquet", partitioning="hive")
rows, first, newest, failed, canaries, keys, partitions = 0, [], [], 0, 0, set(), set()
for batch in log.to_batches(columns=["offset", "timestamp", "key", "value", "headers", "partition"]):
    if not batch.num_rows:
        continue
    rows += batch.num_rows
    first.append(pc.min(batch["offset"]).as_py())
    newest.append(pc.max(batch["timestamp"].cast(pa.int64())).as_py())
    failed += sum(json.loads(v)["response"]["status"] == 503 for v in batch["value"].to_pylist())
    keys.update(batch["key"].to_pylist())
    canaries += sum(any(h["value"] == b"canary" for h in hs or []) for hs in batch["headers"].to_pylist())
    partitions.update(batch["partition"].to_pylist())
print(rows, min(first), max(newest), failed, len(keys), canaries, len(partitions))
