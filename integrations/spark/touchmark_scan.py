"""Scans a corpus on a Spark cluster: `spark-submit touchmark_scan.py PATHS… --spec FILE --out FOLDER`.

Every partition is a shard that a process of `touchmark scan-worker` scans, fed with a row a line. Their states are merged in a
tree. Where there are candidates, a second pass counts what decides about them. State, result and flagged records are those
of `touchmark scan` on one machine; see README.md.
"""

import argparse
import filecmp
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import uuid

from pyspark import SparkFiles, StorageLevel
from pyspark.sql import SparkSession, functions

# Fields in which the worker finds texts by itself, where the text field is not there.
CHAT_FIELDS = ("messages", "conversations", "instruction", "input", "output")
TOKEN_FIELDS = ("tokens", "input_ids")
# Options that name a file with keys, which is sent to the workers and named there by its path.
KEY_OPTIONS = ("spec", "vllm_config", "hf_config")


class WorkerError(RuntimeError):
    """One sentence about why a process of touchmark failed."""


def lines_of(command, records):
    """Feeds records to a process, a line each, and yields the lines that it prints.

    command: list of str. records: iterable of bytes or str without line feeds. Yields str without line feeds.
    Raises WorkerError when the process fails, is killed, or stops reading; the error of `records` when that fails.
    """
    with tempfile.TemporaryFile() as told:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=told
            )
        except OSError as error:
            raise WorkerError(f"{command[0]}: cannot be started ({error.strerror})") from None
        problems = []

        # In a thread of its own: neither of the two pipes may be full while nobody looks at the other.
        def feed():
            try:
                for record in records:
                    line = record.encode() if isinstance(record, str) else record
                    process.stdin.write(line + b"\n")
                process.stdin.close()
            except BaseException as problem:
                # Without the rest the process must not end as if it had everything.
                problems.append(problem)
                # One that has ended by itself says why.
                if not isinstance(problem, BrokenPipeError):
                    process.kill()

        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
        try:
            for line in process.stdout:
                yield line[:-1].decode()
            code = process.wait()
            feeder.join()
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        told.seek(0)
        said = told.read().decode(errors="replace").splitlines()
        if problems and not isinstance(problems[0], BrokenPipeError):
            raise problems[0]
        if code != 0 or problems:
            raise WorkerError(sentence(code, said))
        for line in said:
            print(line, file=sys.stderr)


def sentence(code, said):
    """Why a process failed: what it said last of an error, else how it ended."""
    errors = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
    if errors:
        return f"touchmark: {errors[-1]}"
    if code < 0:
        return f"touchmark: its process was killed by signal {-code}"
    return f"touchmark: its process ended with code {code}"


def whole(lines, last):
    """Passes lines on, of which the last one must begin in a certain way."""
    line = ""
    for line in lines:
        yield line
    if not line.startswith(last):
        raise WorkerError("touchmark: its process ended before it had printed everything")


class Job:
    """What is scanned and how; sent to the workers, so it holds paths and no keys."""

    def __init__(self, options):
        self.touchmark = shlex.split(options.touchmark)
        self.key_files = {
            option: os.path.basename(path)
            for option in KEY_OPTIONS
            if (path := getattr(options, option)) is not None
        }
        self.record_flags = ["--text-field", options.text_field, "--prompt-field", options.prompt_field]
        if options.tokens:
            self.record_flags.append("--tokens")
        if options.tokenizer:
            self.record_flags += ["--tokenizer", *options.tokenizer]
        if options.count_memory:
            self.record_flags += ["--count-memory", options.count_memory]
        if options.strict:
            self.record_flags.append("--strict")

    def key_flags(self):
        """Flags that name the key files where this machine has them."""
        return [
            word
            for option, name in self.key_files.items()
            for word in (f"--{option.replace('_', '-')}", SparkFiles.get(name))
        ]

    def worker(self, shard, *flags):
        """The command that scans a shard."""
        return [
            *self.touchmark,
            "scan-worker",
            "--shard",
            shard,
            *flags,
            *self.key_flags(),
            *self.record_flags,
        ]

    def scan(self, records, name):
        """Candidates of all shards, and a state each: an RDD of lines."""
        of = records.getNumPartitions()

        def run(index, rows):
            return whole(lines_of(self.worker(shard_name(name, index, of)), rows), '{"state":')

        return records.mapPartitionsWithIndex(run)

    def count(self, records, name, candidates, *flags):
        """Counts of what decides about candidates. `candidates`: name of a file that was sent to the workers."""
        of = records.getNumPartitions()

        def run(index, rows):
            command = self.worker(shard_name(name, index, of), *flags, "--count", SparkFiles.get(candidates))
            return whole(lines_of(command, rows), '{"counted":')

        return records.mapPartitionsWithIndex(run)

    def merge(self, states):
        """One state out of some: an iterator of one line."""
        return lines_of([*self.touchmark, "scan-merge", "-"], states)

    def merge_all(self, states, at_once):
        """One state out of those of an RDD, in a tree: at most `at_once` come together in one process."""
        count = states.getNumPartitions()
        while count > at_once:
            count = -(-count // at_once)

            def spread(index, lines, count=count):
                return ((index % count, line) for line in lines)

            states = (
                states.mapPartitionsWithIndex(spread)
                .partitionBy(count, lambda key: key)
                .values()
                .mapPartitions(self.merge)
            )
        return "".join(self.merge(states.collect()))


def shard_name(name, index, of):
    """The same for a partition whichever task scans it, and in order when sorted."""
    return f"{name}[{index:06d}/{of}]"


def read_records(spark, paths, options):
    """The rows that are scanned, as an RDD of JSON in bytes."""
    reader = spark.read.format(options.format)
    settings = {"header": "true", "multiLine": "true", "escape": '"'} if options.format == "csv" else {}
    if options.format == "text":
        settings["wholetext"] = "true"
    for setting in options.option:
        key, _, value = setting.partition("=")
        settings[key] = value
    if options.schema is not None:
        reader = reader.schema(options.schema)
    frame = reader.options(**settings).load(paths)
    if options.format == "text":
        frame = whole_files(frame, options.text_field, options.id_field)
    if options.tokens:
        wanted = TOKEN_FIELDS
    else:
        fields = (options.text_field, options.prompt_field)
        wanted = (*fields, *(field.split(".")[0] for field in fields), *CHAT_FIELDS)
    columns = [column for column in dict.fromkeys(wanted) if column in frame.columns]
    if not columns:
        raise WorkerError(
            f"{', '.join(paths)}: has none of the columns {', '.join(dict.fromkeys(wanted))}; "
            f"it has {', '.join(frame.columns)}"
        )
    identity = (
        functions.col(quoted(options.id_field))
        if options.id_field in frame.columns
        else functions.monotonically_increasing_id()
    )
    return frame.select(
        identity.alias("id"), *(functions.col(quoted(column)) for column in columns if column != "id")
    ).toJSON(use_unicode=False)


def whole_files(frame, text_field, id_field):
    """Text files as `scan` reads them: line feeds between lines and none at the end, called by the file's name."""
    text = functions.col("value")
    for pattern, by in (("^\ufeff", ""), ("\r\n", "\n"), (r"\n\z", "")):
        text = functions.regexp_replace(text, pattern, by)
    name = functions.regexp_extract(functions.input_file_name(), "[^/]*$", 0)
    return frame.where(functions.col("value").rlike(r"\S")).select(name.alias(id_field), text.alias(text_field))


def quoted(column):
    """A column's name in an expression."""
    return "`" + column.replace("`", "``") + "`"


def send_file(context, path):
    """Makes a file known to all workers, unless `spark-submit --files` has. Only its name and path go with the job."""
    name = os.path.basename(path)
    sent = SparkFiles.get(name)
    if not os.path.exists(sent):
        if not os.path.isfile(path):
            raise WorkerError(f"{path}: is not there; give the file, or name one that --files sends")
        context.addFile(path)
    elif os.path.isfile(path) and not filecmp.cmp(path, sent, shallow=False):
        raise WorkerError(f"{path}: Spark has another file of this name already; give it a name of its own")


def write_counts(path, lines, most):
    """Writes what all workers counted: the cells that come to more than `most` places together, and of what."""

    def pairs(line):
        return json.loads(line)["counts"]

    common = (
        lines.filter(lambda line: line.startswith('{"counts":'))
        .flatMap(pairs)
        .reduceByKey(lambda a, b: min(a + b, most + 1))
        .filter(lambda pair: pair[1] > most)
    )
    counted = lines.filter(lambda line: line.startswith('{"counted":')).collect()
    with open(path, "a", encoding="utf-8") as file:
        for pair in common.toLocalIterator():
            file.write(json.dumps({"counts": [pair]}) + "\n")
        for line in counted:
            file.write(line + "\n")


def run(options):
    """Runs the job. Returns the result as a line of JSON."""
    # Before hours of work.
    os.makedirs(options.out, exist_ok=True)
    job = Job(options)
    spark = SparkSession.builder.appName("touchmark scan").getOrCreate()
    context = spark.sparkContext
    for option in job.key_files:
        send_file(context, getattr(options, option))
    name = options.name or ",".join(options.paths)
    # Wrong flags, keys or tokenizers are found here, before any task is.
    for _ in whole(lines_of(job.worker(name), []), '{"state":'):
        pass
    records = read_records(spark, options.paths, options)
    lines = job.scan(records, name).persist(StorageLevel.DISK_ONLY)
    state = job.merge_all(
        lines.filter(lambda line: line.startswith('{"state":')), options.merge_at_once
    )
    with tempfile.TemporaryDirectory() as folder:
        merged, counts = (os.path.join(folder, file) for file in ("merged.json", "counts.jsonl"))
        # A name of its own, by which the workers find this job's and no other's.
        candidates = os.path.join(folder, f"candidates-{uuid.uuid4().hex}.jsonl")
        with open(merged, "w", encoding="utf-8") as file:
            file.write(state)
        with open(candidates, "w", encoding="utf-8") as file:
            # In the order of shards: results come out in it.
            for line in lines.filter(lambda line: line.startswith('{"shard":')).toLocalIterator(True):
                file.write(line + "\n")
        verdict_flags = ["--candidates", candidates, "--flagged", os.path.join(options.out, "flagged.jsonl")]
        if os.path.getsize(candidates) > 0:
            context.addFile(candidates)
            counted = job.count(records, name, os.path.basename(candidates))
            if options.background:
                innocent = read_records(spark, options.background, options)
                background = job.count(
                    innocent, "background", os.path.basename(candidates), "--background"
                )
                counted = counted.union(background)
            counted = counted.persist(StorageLevel.DISK_ONLY)
            write_counts(counts, counted, json.loads(state)["plan"]["mostPlaces"])
            counted.unpersist()
            verdict_flags += ["--counts", counts]
        settings = ["--level", options.level, "--fdr", options.fdr, "--held-out-keys", options.held_out_keys]
        result = "".join(
            lines_of(
                [
                    *(*job.touchmark, "scan-merge", merged, *job.key_flags(), *verdict_flags),
                    *(*settings, "--out", os.path.join(options.out, "state.json")),
                ],
                [],
            )
        )
    lines.unpersist()
    with open(os.path.join(options.out, "result.json"), "w", encoding="utf-8") as file:
        file.write(result + "\n")
    return result


def parse(arguments=None):
    """Options of the command line."""
    parser = argparse.ArgumentParser(description="Scans a corpus on a Spark cluster for marks of Touchmark.")
    add = parser.add_argument
    add("paths", nargs="+", help="what Spark reads: files, folders or patterns, on any file system that it knows")
    add("--out", required=True, help="folder on this machine for state.json, result.json and flagged.jsonl")
    add("--format", default="parquet", help="parquet, json (a record a line), csv, text, orc or another that Spark reads")
    add("--option", action="append", default=[], metavar="KEY=VALUE", help="option of Spark's reader")
    add("--schema", help="schema of the rows (DDL), so that Spark need not look for it")
    add("--text-field", default="text", help="column that holds the text; chats are found by their columns' names")
    add("--prompt-field", default="prompt", help="column that holds what the author was given")
    add("--id-field", default="id", help="column that holds a record's id; without it rows are numbered")
    add("--tokens", action="store_true", help="records are token ids, in a column tokens or input_ids")
    add("--background", nargs="+", default=[], help="text that is known not to come from here, of the same format")
    add("--spec", help="opened marks (`touchmark keys open`); sent to the workers as a file, as --files does")
    add("--vllm-config", help="file with vLLM's configuration, in place of --spec")
    add("--hf-config", help="file with transformers' configuration, in place of --spec")
    add("--tokenizer", nargs="+", help="tokenizers, by a path that holds on every machine, or tiktoken:NAME")
    add("--touchmark", default="touchmark", help="command that runs touchmark on every machine")
    add("--name", help="what the corpus is called in the names of its shards; default: the paths")
    add("--strict", action="store_true", help="a record that cannot be read ends the scan")
    add("--level", default="1e-6", help="error rate of the verdict on the corpus")
    add("--fdr", default="0.05", help="share of the reported records that may be wrong, on average")
    add("--held-out-keys", default="0", help="keys that were never deployed to rank each mark among")
    add("--count-memory", help="MiB in which windows are counted; see `touchmark scan-worker --help`")
    add("--merge-at-once", type=int, default=16, help="states that one process merges")
    options = parser.parse_args(arguments)
    if sum(getattr(options, option) is not None for option in KEY_OPTIONS) != 1:
        parser.error("give one of --spec FILE, --vllm-config FILE, --hf-config FILE")
    if options.merge_at_once < 2:
        parser.error("--merge-at-once: must be 2 or more")
    return options


def reason(problem):
    """One sentence about why a job failed; None where it was not touchmark."""
    if isinstance(problem, WorkerError):
        return str(problem)
    # Of a task's error Spark tells the text of its traceback.
    told = re.search(r"WorkerError: (.+)", str(problem))
    return told and told.group(1)


def main(arguments=None):
    """Runs the job of a command line, and prints its result."""
    options = parse(arguments)
    try:
        print(run(options))
    except Exception as problem:
        why = reason(problem)
        if why is None:
            raise
        sys.exit(f"error: {why}")


if __name__ == "__main__":
    main()
