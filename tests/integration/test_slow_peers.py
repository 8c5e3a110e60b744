"""limits.write_timeout: a peer that takes something all the while has all the time it needs, one that takes nothing has not.

The kernel buffers megabytes, and says that it has room again only when much of that is free: so a peer that reads by drops
looks for long as one that reads nothing.
"""

import threading
import time

import pytest

from faulty_server import FaultyServer, answer_until, packet, read_packet
from laboratory import wait_until
from mysql_wire import CLIENT_LOCAL_FILES, QUERY, USUAL, Client, Closed, ServerError
from test_listeners import socket_path

LIMIT_SECONDS = 3
SLOW_SECONDS = 2 * LIMIT_SECONDS + 1
DROP_BYTES, DROP_SECONDS = 1000, 0.01
LARGE_BYTES = 16_000_000  # no buffers hold that


@pytest.fixture
def impatient(lab):
    """The lab with a short limits.write_timeout."""
    lab.load_fixture()
    name = "sallyport_config_reloads_total"

    def reload(edit):
        reloads = lab.metrics()[name]
        text = lab.reload(edit)
        wait_until(lambda: lab.metrics()[name] > reloads, what="the reload")
        return text
    before = reload(lambda text: text.replace("write_timeout: 20s", f"write_timeout: {LIMIT_SECONDS}s"))
    yield lab
    reload(lambda _: before)


def session_by(lab, way):
    if way == "tls":
        client = Client(lab.port, timeout=60)
        client.login("shop", lab.token("reporter"), lab.ca)
        return client
    client = Client(path=socket_path(lab), timeout=60)
    client.read_greeting()
    client.send(client.handshake_response("shop", b"\x01" * 32))
    client.finish_authentication(lab.token("reporter"))
    return client


def read_slowly(connection):
    received, began = 0, time.monotonic()
    while time.monotonic() < began + SLOW_SECONDS:
        piece = connection.recv(DROP_BYTES)
        assert piece, "cut off"
        received += len(piece)
        time.sleep(DROP_SECONDS)
    return received


def ask_for_much(client):
    client.command(QUERY, f"SELECT REPEAT('z', 100000) FROM driver_rows LIMIT {LARGE_BYTES // 100_000}".encode())


@pytest.mark.parametrize("way", ["tls", "unix socket"])
def test_a_client_that_reads_by_drops_gets_all(impatient, way):
    with session_by(impatient, way) as client:
        ask_for_much(client)
        received = read_slowly(client.socket)
        assert received < LARGE_BYTES / 2
        while received < LARGE_BYTES:
            piece = client.socket.recv(1 << 16)
            assert piece, "the result was cut off"
            received += len(piece)


@pytest.mark.parametrize("way", ["tls", "unix socket"])
def test_a_client_that_reads_nothing_is_ended(impatient, way):
    mark = impatient.audit_mark()
    with session_by(impatient, way) as client:
        ask_for_much(client)

        def ended():
            return [one for one in impatient.audit(mark) if one["type"] == "session_end" and one["reason"] == "write_timeout"]
        wait_until(ended, 30, "the end of the session")


def loading(lab):
    session = Client(lab.port, timeout=60)
    session.login("faulty", lab.token("reporter"), lab.ca, capabilities=USUAL | CLIENT_LOCAL_FILES)
    session.command(QUERY, b"LOAD DATA LOCAL INFILE 'wanted' INTO TABLE t")
    assert session.receive_ok() == b"\xfbwanted"
    return session


def upload(session):
    part = b"x" * 100_000
    for _ in range(LARGE_BYTES // len(part)):
        session.send(part)
    session.send(b"")


def test_a_server_that_reads_by_drops_gets_a_whole_file(impatient):
    got = []

    def take_slowly(connection):
        connection.sendall(packet(1, b"\xfbwanted"))
        slow = Slow(connection)
        payload, sequence, size = b"-", 0, 0
        while payload:
            sequence, payload = read_packet(slow)
            size += len(payload)
        got.append(size)
        connection.sendall(packet(sequence + 1, b"\x00\x00\x00\x02\x00\x00\x00"))

    with FaultyServer(int(impatient.values["LAB_SPARE_PORT_7"]), lambda connection: answer_until(connection, b"wanted", take_slowly)):
        with loading(impatient) as session:
            upload(session)
            assert session.receive_ok()[:1] == b"\0"
    assert got == [LARGE_BYTES]


class Slow:
    """A connection whose bytes are taken by drops at first."""

    def __init__(self, connection):
        self.connection, self.began = connection, time.monotonic()

    def recv(self, size):
        if time.monotonic() > self.began + SLOW_SECONDS:
            return self.connection.recv(size)
        time.sleep(DROP_SECONDS)
        return self.connection.recv(min(size, DROP_BYTES))


def test_a_server_that_reads_nothing_of_a_file_ends_the_session(impatient):
    mark, over = impatient.audit_mark(), threading.Event()

    def take_nothing(connection):
        connection.sendall(packet(1, b"\xfbwanted"))
        over.wait(60)

    with FaultyServer(int(impatient.values["LAB_SPARE_PORT_7"]), lambda connection: answer_until(connection, b"wanted", take_nothing)):
        with loading(impatient) as session, pytest.raises((Closed, ServerError, OSError)):
            upload(session)
            session.receive_ok()
        over.set()
    ended = impatient.wait_for_record(mark, type="session_end", reason="backend_closed")
    assert "write_timeout" in ended["detail"]
