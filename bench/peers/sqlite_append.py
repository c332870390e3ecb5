"""Peer of the `receipts` bench: the same lines into an append-only SQLite table, durable in the same groups.

usage: sqlite_append.py LINES DATABASE GROUP
"""

import json
import sqlite3
import sys
import time

lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
group = int(sys.argv[3])
database = sqlite3.connect(sys.argv[2], isolation_level=None)
database.execute("pragma journal_mode = wal")
database.execute("pragma synchronous = full")
database.execute("create table entries (number integer primary key, line text not null)")
begun = time.perf_counter()
for start in range(0, len(lines), group):
    database.execute("begin")
    database.executemany("insert into entries (line) values (?)", ((line,) for line in lines[start : start + group]))
    database.execute("commit")
print(json.dumps({"seconds": time.perf_counter() - begun, "lines": len(lines), "version": sqlite3.sqlite_version}))
