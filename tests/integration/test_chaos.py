"""Servers and clients that die, hang, are slow or too many: others notice nothing, nothing is left behind, all is counted.

Each test breaks the connection `victim`, whose server is its own, while a witness keeps asking through `shop`. They want a
machine to themselves and minutes, so they run with SALLYPORT_TEST_LONG=1 only; then there are 100,000 connection cycles, or
as many as SALLYPORT_TEST_CYCLES says.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from laboratory import HERE, Laboratory, wait_until
from mysql_wire import QUERY, Client, Closed, ServerError
from victim import Victim

MIB = 1 << 20
LONG = os.environ.get("SALLYPORT_TEST_LONG") == "1"
CYCLES = int(os.environ.get("SALLYPORT_TEST_CYCLES", "100000"))
HALF_OPEN = 2_500
CONNECTIONS_MAX = 3_000  # as in chaos.yaml
# 100 MB and more: no socket's buffers hold that.
LARGE = "SELECT REPEAT('x', 1000000) FROM numbers a, numbers b"
WITNESS_GAP_SECONDS = 20  # without an answer; a busy machine is slow, a blocked gateway would be far slower

pytestmark = pytest.mark.skipif(not LONG, reason="takes minutes and a quiet machine: SALLYPORT_TEST_LONG=1")


@pytest.fixture(scope="module")
def chaos(kind, tmp_path_factory):
    one = Laboratory(tmp_path_factory.mktemp("chaos") / "lab", kind, template="chaos.yaml")
    one.victim = Victim(one)
    yield one
    one.victim.server.program.stop()
    one.close()


def lasting_token(lab):
    """For what takes longer than a token lives else: 100,000 connections."""
    return lab.token("reporter", "--ttl", "3600")


class Witness(threading.Thread):
    """A session on the server that stays well. Its longest wait for an answer is what the chaos cost others."""

    def __init__(self, lab):
        super().__init__(daemon=True)
        self.client = lab.login("reporter", token=lasting_token(lab))
        self.client.socket.settimeout(WITNESS_GAP_SECONDS)
        self.answers, self.failure, self.stop = 0, None, threading.Event()

    def run(self):
        try:
            while not self.stop.is_set():
                assert self.client.query("SELECT 'undisturbed'") == [[b"undisturbed"]]
                self.answers += 1
                time.sleep(0.005)
        except Exception as failure:  # pylint: disable=broad-exception-caught
            self.failure = failure


@pytest.fixture
def calm(chaos):
    """The lab with a witness. Afterwards the gateway lives and holds what it held before."""
    wait_until(lambda: chaos.metrics()["sallyport_connections_open"] == 0, 20, "the end of earlier connections")
    witness = Witness(chaos)
    witness.start()
    wait_until(lambda: witness.answers > 2 or witness.failure, 20, "the witness's first answers")
    before = witness.answers
    yield chaos
    wait_until(lambda: witness.answers > before + 2 or witness.failure, 20, "answers to the witness")
    witness.stop.set()
    witness.join(WITNESS_GAP_SECONDS + 5)
    assert witness.failure is None, f"another session was affected: {witness.failure!r}"
    witness.client.close()
    assert chaos.alive()
    wait_until(lambda: chaos.metrics()["sallyport_connections_open"] == 0, 20, "the end of all connections")


def victim_session(lab):
    return lab.login("reporter", user="victim", schema="chaos")


def read_some(client, least=MIB):
    """The beginning of an answer."""
    while len(client.received) < least:
        piece = client.socket.recv(1 << 16)
        assert piece
        client.received += piece


def read_to_end(client):
    """Reads a result away; returns its bytes."""
    received = len(client.received)
    client.received = b""
    try:
        while piece := client.socket.recv(1 << 18):
            received += len(piece)
    except OSError:
        pass
    return received


def sessions_in_the_midst(lab):
    """A session that waits, one that runs a statement, and one that has read a part of a result."""
    idle, running, reading = (victim_session(lab) for _ in range(3))
    marker = f"marker {random.random()}"
    try:
        idle.query("SELECT 1")
        running.command(QUERY, f"SELECT SLEEP(300), '{marker}'".encode())
        wait_until(lambda: lab.victim.statements_with(marker) == 1, 20, "the running statement")
        reading.command(QUERY, LARGE.encode())
        read_some(reading)
    except BaseException:
        for one in (idle, running, reading):
            one.close()
        raise
    return idle, running, reading


def grown(lab, before, name):
    return lab.metrics().get(name, 0) - before.get(name, 0)


def refused_as_unavailable(lab):
    try:
        victim_session(lab).close()
    except ServerError as error:
        return error.code == 1429
    return False


def can_log_in(lab):
    try:
        victim_session(lab).close()
    except (ServerError, Closed):
        return False
    return True


@pytest.mark.parametrize("end", ["killed", "restarted"])
def test_a_server_that_ends(calm, end):
    before = calm.metrics()
    idle, running, reading = sessions_in_the_midst(calm)
    if end == "killed":
        calm.victim.kill()
    else:
        calm.victim.server.program.stop()
    try:
        error = running.wait_for_end()
        assert error is not None and error.code in (1152, 1053, 1317), error
        error = idle.wait_for_end()
        assert error is not None, "a session at rest is told why it ends"
        read_to_end(reading)
        ended = 'sallyport_sessions_ended_total{reason="backend_closed"}'
        wait_until(lambda: grown(calm, before, ended) == 3, 20, "three sessions' ends, counted")
        assert refused_as_unavailable(calm)
        assert grown(calm, before, 'sallyport_logins_refused_total{reason="backend_unavailable"}') == 1
    finally:
        for one in (idle, running, reading):
            one.close()
        calm.victim.start()
    wait_until(lambda: can_log_in(calm), 20, "logins to the server that came back")


def test_a_server_that_hangs_and_comes_back(calm):
    """Its sessions wait, a login is refused when its time is over; then the sessions get their answers."""
    before = calm.metrics()
    waiting, reading = victim_session(calm), victim_session(calm)
    reading.command(QUERY, LARGE.encode())
    read_some(reading)
    calm.victim.signal(signal.SIGSTOP)
    try:
        waiting.command(QUERY, b"SELECT 'late'")
        assert refused_as_unavailable(calm)
        assert grown(calm, before, 'sallyport_logins_refused_total{reason="backend_unavailable"}') == 1
    finally:
        calm.victim.signal(signal.SIGCONT)
    assert waiting.read_result() == [[b"late"]]
    reading.close()
    waiting.close()


def test_clients_that_give_up_on_a_server_that_hangs(calm):
    """The gateway lets go of both sides, though the server takes nothing."""
    sessions = []
    # The one before may have left a connection to be reused, while the gateway still holds back from opening others.
    wait_until(lambda: can_log_in(calm) and (sessions.append(victim_session(calm)) or len(sessions) == 5), 20, "logins")
    before = calm.metrics()
    calm.victim.signal(signal.SIGSTOP)
    try:
        for session in sessions:
            session.command(QUERY, b"SELECT 'never read'")
        for session in sessions:
            session.close()
        wait_until(lambda: grown(calm, before, 'sallyport_sessions_ended_total{reason="client_closed"}') == 5, 20, "five ends")
        wait_until(lambda: calm.metrics()["sallyport_sessions_open"] == 1, 20, "the witness being alone")
    finally:
        calm.victim.signal(signal.SIGCONT)
    wait_until(lambda: can_log_in(calm), 20, "logins")


def test_a_server_that_stutters(calm):
    """Stopped and continued all the while it sends a result, which arrives whole."""
    with victim_session(calm) as session:
        session.command(QUERY, b"SELECT n FROM numbers UNION ALL SELECT REPEAT('y', 300000) FROM numbers")
        stop = threading.Event()

        def stutter():
            while not stop.is_set():
                calm.victim.signal(signal.SIGSTOP)
                time.sleep(0.05)
                calm.victim.signal(signal.SIGCONT)
                time.sleep(0.01)

        thread = threading.Thread(target=stutter)
        thread.start()
        try:
            rows = session.read_result()
        finally:
            stop.set()
            thread.join()
        assert len(rows) == 200 and sum(len(row[0]) for row in rows[100:]) == 100 * 300_000


CLIENT = """
import sys
sys.path.insert(0, {here!r})
from mysql_wire import QUERY, Client
sessions = []
for sql in ("SELECT 1", "SELECT SLEEP(300), '{marker}'", "SELECT REPEAT('x', 1000000), '{marker}' FROM numbers a, numbers b"):
    client = Client({port})
    client.login("victim", {token!r}, {ca!r}, "chaos")
    client.command(QUERY, sql.encode())
    client.socket.recv(5) if sql == "SELECT 1" else None
    sessions.append(client)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
def test_clients_that_die_or_hang(calm, how):
    """A dead client's statements end at the server. So do those of one that hangs, when it has taken nothing for long."""
    before, marker = calm.metrics(), f"marker {random.random()}"
    script = CLIENT.format(here=str(HERE), port=calm.port, token=calm.token("reporter"), ca=calm.ca, marker=marker)
    with subprocess.Popen([sys.executable, "-B", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        try:
            assert client.stdout.readline() == b"ready\n"
            wait_until(lambda: calm.victim.statements_with(marker) == 2, 20, "both statements")
            client.send_signal(how)
            if how == signal.SIGKILL:
                wait_until(lambda: grown(calm, before, 'sallyport_sessions_ended_total{reason="client_closed"}') == 3, 20,
                           "three sessions' ends")
                wait_until(lambda: calm.metrics()["sallyport_sessions_open"] == 1, 20, "the witness being alone")
                wait_until(lambda: calm.victim.statements_with("REPEAT") == 0, 20, "the result's end at the server")
            else:
                wait_until(lambda: grown(calm, before, 'sallyport_sessions_ended_total{reason="write_timeout"}') == 1, 30,
                           "the end of the session whose result is not taken")
                wait_until(lambda: calm.victim.statements_with("REPEAT") == 0, 20, "the result's end at the server")
        finally:
            client.kill()


def test_a_client_that_reads_by_drops_gets_all(calm):
    """It takes longer than limits.write_timeout for its result, but takes something all the while."""
    with Client(calm.port, timeout=60) as session:
        session.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        session.login("victim", calm.token("reporter"), calm.ca, "chaos")
        session.command(QUERY, b"SELECT REPEAT('z', 100000) FROM numbers")
        received, began = 0, time.monotonic()
        while time.monotonic() < began + 10:
            received += len(session.socket.recv(2000))
            time.sleep(0.005)
        assert 0 < received < 9_000_000
        while received < 100 * 100_000:
            piece = session.socket.recv(1 << 16)
            assert piece, "the result was cut off"
            received += len(piece)


def half_open(port, what):
    """A connection that is left in the middle of its login."""
    client = Client(port, timeout=30)
    try:
        if what != "silent":
            client.read_greeting()
        if what == "tls begun":
            payload = client.capability_header(0x00ffffff | 1 << 11)
            client.send_raw(len(payload).to_bytes(3, "little") + b"\1" + payload + b"\x16\x03\x01")
        if what == "tls done":
            client.start_tls()
    except (ServerError, Closed, OSError):
        client.close()
        return None
    return client


def test_a_flood_of_half_open_logins(calm):
    """They hold no more than they are, are put out in time, and don't keep others from logging in."""
    before, files = calm.metrics(), calm.open_files()
    stages = ["silent", "greeted", "tls begun", "tls done"]
    with ThreadPoolExecutor(16) as threads:
        held = list(threads.map(lambda number: half_open(calm.port, stages[number % 4] if number % 50 == 3 else
                                                         stages[number % 3]), range(HALF_OPEN)))
        began = calm.metrics()
        assert grown(calm, before, "sallyport_connections_accepted_total") == HALF_OPEN
        with calm.login("reporter") as session:
            assert session.query("SELECT 'in between'") == [[b"in between"]]
    refused = ('sallyport_logins_refused_total{reason="handshake_timeout"}', 'sallyport_logins_refused_total{reason="client_closed"}',
               'sallyport_logins_refused_total{reason="handshake_malformed"}', 'sallyport_logins_refused_total{reason="tls_failed"}')
    wait_until(lambda: sum(grown(calm, before, name) for name in refused) >= HALF_OPEN, 30, "the end of all, counted")
    assert grown(calm, before, refused[0]) > HALF_OPEN * 0.9 and began["sallyport_connections_accepted_total"] > 0
    for client in filter(None, held):
        client.close()
    wait_until(lambda: calm.open_files() <= files + 2, 20, "the descriptors' return")


def test_more_connections_than_allowed(calm):
    """Those above the limit are told so and counted; when some have gone, there is room again."""
    before, held = calm.metrics(), []
    name = 'sallyport_connections_refused_total{reason="too_many_connections"}'
    try:
        for _ in range(CONNECTIONS_MAX + 200):
            held.append(socket.create_connection(("127.0.0.1", calm.port), timeout=30))
        wait_until(lambda: grown(calm, before, name) > 0, 20, "refusals, counted")
    finally:
        for one in held:
            one.close()
    wait_until(lambda: can_log_in(calm), 30, "room for a login")


def cycle(lab, token, number):
    """One connection, ended in one of several ways."""
    kind = number % 8
    if kind == 0:
        half_open(lab.port, "greeted").close()
        return
    if kind == 1:
        with Client(lab.port) as client:
            with pytest.raises(ServerError):
                client.login("shop", token[:-8] + "AAAAAAAA", lab.ca)
        return
    with lab.login(token=token, user="victim" if kind == 2 else "shop") as session:
        session.query("SELECT 1")
        if kind == 3:
            session.command(QUERY, b"SELECT SLEEP(0.01)")
        elif kind == 4:
            session.command(QUERY, b"SELECT REPEAT('x', 1000000) UNION ALL SELECT REPEAT('y', 1000000)")
        elif kind >= 5:
            session.command(1)


def resident_bytes(lab):
    for line in Path(f"/proc/{lab.pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) << 10
    raise AssertionError("smaps_rollup has no Rss")


@pytest.mark.timeout(3600)
def test_connection_cycles_leave_nothing(calm):
    """Descriptors and memory are at the end what they were after the first fifth."""
    def run(count):
        token = lasting_token(calm)
        with ThreadPoolExecutor(4) as threads:
            for _ in threads.map(lambda number: cycle(calm, token, number), range(count)):
                pass

    def settled():
        wait_until(lambda: calm.metrics()["sallyport_connections_open"] == 1, 30, "the witness being alone")
        wait_until(lambda: calm.metrics()["sallyport_side_connections_open"] == 0, 30, "the last KILL")
        # How many server connections the pool keeps depends on how many sessions happened to be there at once.
        return calm.open_files() - calm.metrics()["sallyport_backend_connections_open"], resident_bytes(calm)

    before = calm.metrics()
    run(CYCLES // 5)
    files, memory = settled()
    run(CYCLES - CYCLES // 5)
    files_after, memory_after = settled()
    assert grown(calm, before, "sallyport_connections_accepted_total") == CYCLES
    assert grown(calm, before, 'sallyport_logins_refused_total{reason="token_signature_invalid"}') == CYCLES // 8
    assert files_after <= files + 2, f"{files} descriptors became {files_after}"
    assert memory_after <= memory + 2 * MIB, f"{memory / MIB:.1f} MiB became {memory_after / MIB:.1f}"
