"""Runs the script with a command line client, mariadb or mysql, and prints what it printed, a JSON line for each step.

usage: client_driver.py PROGRAM mariadb|mysql      (DRIVER_* in the environment, see README.md)
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

from script import client_script

LONG = 4000  # bytes of a line; what is longer is printed as a digest


def command(program, kind):
    verify = ["--ssl-verify-server-cert"] if kind == "mariadb" else ["--ssl-mode=VERIFY_IDENTITY"]
    initial = [f"--init-command={os.environ['DRIVER_INIT']}"] if os.environ.get("DRIVER_INIT") else []
    algorithm = os.environ.get("DRIVER_COMPRESSION")
    compression = [] if not algorithm else ["--compress"] if kind == "mariadb" else [f"--compression-algorithms={algorithm}"]
    database = [os.environ["DRIVER_DATABASE"]] if os.environ.get("DRIVER_DATABASE") else []
    return [program, "--no-defaults", f"--host={os.environ['DRIVER_HOST']}", f"--port={os.environ['DRIVER_PORT']}", "--protocol=tcp",
            f"--user={os.environ['DRIVER_USER']}", f"--ssl-ca={os.environ['DRIVER_CA']}", *verify, "--default-character-set=utf8mb4",
            "--max-allowed-packet=64M", "--force", "--table", "--column-type-info", "--show-warnings", "--comments", "--binary-as-hex",
            "--unbuffered", "-vv", *initial, *compression, *database]


def shortened(line):
    line = re.sub(rb" \(\d+\.\d+ sec\)$", b"", line.rstrip(b"\n"))
    if len(line) > LONG:
        return f"{len(line)} bytes, sha256 {hashlib.sha256(line).hexdigest()}"
    return line.decode(errors="backslashreplace")


def printed_lines(program, kind):
    """What the client prints, errors in their place among it."""
    with tempfile.TemporaryFile() as script:
        script.write(client_script().encode())
        script.seek(0)
        environment = {**os.environ, "MYSQL_PWD": os.environ["DRIVER_PASSWORD"]}
        with subprocess.Popen(command(program, kind), stdin=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=environment) as process:
            for line in process.stdout:
                yield shortened(line)


def main():
    # What comes between two markers of the script is one step's. A refused login prints no marker at all.
    step, outcome = "start", []
    for line in printed_lines(*sys.argv[1:]):
        match = re.match(r"^SELECT '(.*)' AS step$", line)
        if match:
            print(json.dumps({"server": ""} if step == "start" else {"id": step, "outcome": outcome}, ensure_ascii=False))
            step, outcome = match[1], []
        else:
            outcome.append(line)
    print(json.dumps({"refused": outcome} if step == "start" else {"id": step, "outcome": outcome}, ensure_ascii=False))


main()
