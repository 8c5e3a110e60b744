"""What tests/soak/run does: sysbench through the gateway while servers, clients, keys and configuration change."""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

from laboratory import Laboratory, audit_segments, segment_text, wait_until
from mysql_wire import Client, Closed, ServerError
from victim import Victim

DESCRIPTION = """sysbench with many connections through the gateway, for as long as is asked, while faults are injected: the server is
killed or restarted, clients are killed, half-open connections pile up, the configuration is reloaded, signing keys
change. At the end nothing may be left over, no sanitizer may have spoken, and the audit log must be whole: a start and
an end of each session, an outcome of each command. The gateway is build/release/bin/sallyport or $SALLYPORT_BINARY; with
one built by the preset `asan` its memory is not compared, and what the sanitizers say counts."""

SEGMENT_SECONDS = 20  # one run of sysbench, with a token of its own
MEMORY_GROWTH_MAX = 8 << 20
SANITIZER_WORDS = ("Sanitizer", "runtime error:", "CHECK failed")
# The options that sysbench has for TLS: on or off. It takes these files from its working directory.
TLS_FILES = {"cacert.pem": "ca.pem", "client-cert.pem": "gateway.pem", "client-key.pem": "gateway-key.pem"}


def parse():
    parser = argparse.ArgumentParser(prog="tests/soak/run", description=DESCRIPTION,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=3600, metavar="N", help="how long (default: %(default)s)")
    parser.add_argument("--server", choices=["mariadb", "mysql"], default="mariadb")
    parser.add_argument("--connections", type=int, default=64, metavar="C", help="of sysbench (default: %(default)s)")
    parser.add_argument("--fault-every", type=float, default=7, metavar="S", help="seconds between faults (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the order of faults (default: %(default)s)")
    return parser.parse_args()


class Soak:
    def __init__(self, arguments, directory):
        self.arguments, self.random = arguments, random.Random(arguments.seed)
        self.lab = Laboratory(directory / "lab", arguments.server, template="chaos.yaml")
        self.victim = Victim(self.lab)
        self.work = directory / "sysbench"
        self.work.mkdir()
        for name, source in TLS_FILES.items():
            shutil.copy(self.lab.directory / "tls" / source, self.work / name)
        self.client, self.transactions, self.segments = None, 0, 0
        self.faults, self.over = defaultdict(int), threading.Event()

    def sysbench(self, *options):
        return ["sysbench", "oltp_read_write", "--tables=4", "--table-size=2000", "--mysql-db=chaos", "--db-driver=mysql", *options]

    def prepare(self):
        subprocess.run([*self.sysbench(f"--mysql-socket={self.victim.server.socket}", "--mysql-user=root"), "prepare"], check=True,
                       stdout=subprocess.DEVNULL)

    def load(self):
        """Runs sysbench over and over; a fault may end a run early."""
        while not self.over.is_set():
            token = self.lab.lab("token", "reporter")
            command = self.sysbench(
                "--mysql-host=127.0.0.1", f"--mysql-port={self.lab.port}", "--mysql-user=victim", f"--mysql-password={token}",
                "--mysql-ssl=on", f"--threads={self.arguments.connections}", f"--time={SEGMENT_SECONDS}", "--mysql-ignore-errors=all")
            with open(self.work / "log", "wb") as log:
                self.client = subprocess.Popen([*command, "run"], cwd=self.work, stdout=log, stderr=log)
                try:
                    self.client.wait(SEGMENT_SECONDS * 3)
                except subprocess.TimeoutExpired:
                    self.client.kill()
                    self.client.wait()
            self.segments += 1
            self.count_transactions()
            self.over.wait(0.2)

    def count_transactions(self):
        for line in (self.work / "log").read_text(errors="replace").splitlines():
            if line.strip().startswith("transactions:"):
                self.transactions += int(line.split()[1])

    # Faults

    def server_killed(self):
        self.victim.kill()
        self.victim.start()

    def server_restarted(self):
        self.victim.server.program.stop()
        self.victim.start()

    def server_paused(self):
        self.victim.signal(signal.SIGSTOP)
        time.sleep(self.random.uniform(0.2, 2))
        self.victim.signal(signal.SIGCONT)

    def clients_killed(self):
        if self.client and self.client.poll() is None:
            self.client.kill()

    def reloaded(self):
        os.kill(self.lab.pid, signal.SIGHUP)

    def keys_rotated(self):
        self.lab.lab("rotate-keys")

    def half_open_logins(self):
        held = []
        for _ in range(100):
            try:
                held.append(Client(self.lab.port))
            except OSError:
                pass
        time.sleep(0.5)
        for one in held:
            one.close()

    def inject(self, deadline):
        kinds = [self.server_killed, self.server_restarted, self.server_paused, self.clients_killed, self.reloaded,
                 self.keys_rotated, self.half_open_logins]
        while time.monotonic() + self.arguments.fault_every < deadline:
            time.sleep(self.arguments.fault_every)
            fault = self.random.choice(kinds)
            fault()
            self.faults[fault.__name__] += 1
            if not self.lab.alive():
                raise AssertionError("the gateway died")

    # What must hold

    def settle(self):
        wait_until(lambda: self.lab.metrics()["sallyport_connections_open"] == 0, 30, "the end of all connections")
        return self.lab.open_files(), self.lab.resident_bytes()

    def warm_up(self):
        """As many connections at once as there will be, so that what is kept for them is there before memory is compared."""
        held = [self.lab.login("reporter", user="victim", schema="chaos") for _ in range(self.arguments.connections)]
        for one in held:
            one.query("SELECT 1")
        for one in held:
            one.close()
        return self.settle()

    def run(self):
        self.prepare()
        files, _ = self.warm_up()
        load = threading.Thread(target=self.load)
        began = time.monotonic()
        deadline = began + self.arguments.seconds
        load.start()
        middle = None
        try:
            self.inject(min(deadline, began + self.arguments.seconds / 2))
            self.over.set()
            load.join()
            middle = self.settle()
            self.over.clear()
            load = threading.Thread(target=self.load)
            load.start()
            self.inject(deadline)
        finally:
            self.over.set()
            load.join()
        files_after, memory_after = self.settle()
        found = []
        if files_after > files + 2:
            found.append(f"{files} descriptors became {files_after}")
        if not self.is_sanitized() and memory_after > middle[1] + MEMORY_GROWTH_MAX:
            found.append(f"{middle[1] >> 20} MiB half-way became {memory_after >> 20} MiB")
        if self.transactions == 0:
            found.append(f"sysbench made no transaction; its log:\n{(self.work / 'log').read_text(errors='replace')[-2000:]}")
        return found

    def is_sanitized(self):
        return "asan" in Path(f"/proc/{self.lab.pid}/maps").read_text()

    def close(self):
        """Ends everything; returns what the gateway left behind that it should not have."""
        self.over.set()
        self.clients_killed()
        audit_directory, log = Path(self.lab.values["LAB_AUDIT_DIR"]), Path(self.lab.values["LAB_GATEWAY_LOG"])
        self.lab.close()
        self.victim.server.program.stop()
        found = [line for line in log.read_text(errors="replace").splitlines() if any(word in line for word in SANITIZER_WORDS)]
        return found + audit_faults(audit_directory)


def audit_faults(directory):
    """Sessions without exactly one start and one end, and commands without exactly one outcome."""
    found, counts = [], defaultdict(int)
    starts, open_commands = set(), defaultdict(set)
    for _, path in audit_segments(directory):
        for line in segment_text(path, 0).decode().splitlines():
            record = json.loads(line)
            kind, session = record["type"], record.get("session")
            counts[kind] += 1
            if kind == "session_start":
                starts.add(session)
            elif kind == "command":
                if session not in starts:
                    found.append(f"a command of a session that has not begun: {line[:200]}")
                open_commands[session].add(record["seq"])
            elif kind == "outcome":
                if record["of"] not in open_commands[session]:
                    found.append(f"an outcome of no command, or a second one: {line[:200]}")
                open_commands[session].discard(record["of"])
            elif kind == "login_refused":
                starts.discard(session)  # it may follow session_start, when the login ended before the client's OK
            elif kind == "session_end":
                if session not in starts:
                    found.append(f"an end without a start: {line[:200]}")
                starts.discard(session)
                if open_commands.pop(session, None):
                    found.append(f"a command without an outcome in session {session}")
    found += [f"session {session} has no end" for session in starts]
    print("soak: audit records: " + ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items())))
    return found


def main():
    arguments = parse()
    directory = Path(tempfile.mkdtemp(prefix="sallyport-soak-"))
    soak, found = None, []
    try:
        soak = Soak(arguments, directory)
        found = soak.run()
    except (AssertionError, ServerError, Closed, OSError, subprocess.SubprocessError) as failure:
        found = [f"{type(failure).__name__}: {failure}"]
    finally:
        if soak:
            found += soak.close()
    print(f"soak: {arguments.seconds} s, {soak.segments} runs of sysbench, {soak.transactions} transactions, faults: " +
          (", ".join(f"{name} {count}" for name, count in sorted(soak.faults.items())) or "none"))
    for one in found[:50]:
        print(f"soak: {one}")
    if found:
        sys.exit(f"soak: {len(found)} faults found; logs stay in {directory}")
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
