"""The microbenchmarks: build/bench/bin/microbench, with Google Benchmark's own table."""

import json
import subprocess
import tempfile

from lab import Failure

from harness.targets import BUILD


def run(arguments):
    """Prints the table, and returns the figures for the JSON file."""
    with tempfile.NamedTemporaryFile("r", prefix="bench-micro-", suffix=".json") as out:
        command = [str(BUILD / "microbench"), f"--benchmark_out={out.name}", "--benchmark_out_format=json"]
        if arguments.seconds is not None:
            command.append(f"--benchmark_min_time={arguments.seconds}")
        if arguments.filter:
            command.append(f"--benchmark_filter={arguments.filter}")
        if subprocess.run(command, check=False).returncode != 0:
            raise Failure("microbench failed (above)")
        return json.load(out)
