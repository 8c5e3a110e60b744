"""Bytes that no honest peer sends, on both sides, and a disk that takes no more. Each has a defined answer; the process
lives, other sessions don't notice, and no file descriptor or memory is lost."""

import os
import random
import resource
import socket
import struct
import threading
import time
from contextlib import contextmanager

import pytest

from faulty_server import COLUMN, EOF_PACKET, OK, FaultyServer, answer_until, greeting, log_in, own_answer, packet, read_packet
from laboratory import wait_until
from mysql_wire import (CHANGE_USER, CLIENT_SSL, FIELD_LIST, INIT_DB, PING, QUERY, RESET, STMT_CLOSE, STMT_EXECUTE, STMT_PREPARE, USUAL,
                        Client, Closed, ServerError, lenenc)

MEBIBYTE = 1 << 20
RESIDENT_GROWTH_MAX = 96 * MEBIBYTE


@pytest.fixture(autouse=True)
def nothing_is_lost(lab):
    """A bystander's session works through every test, and the gateway's files and memory come back to what they were, but
    for server connections that lie ready for later sessions."""
    def files_in_use():
        return lab.open_files() - lab.metrics()["sallyport_backend_connections_idle"]

    with lab.login("reporter") as bystander:
        files, resident = files_in_use(), lab.resident_bytes()
        yield
        assert bystander.query("SELECT 'undisturbed'") == [[b"undisturbed"]]
        wait_until(lambda: files_in_use() <= files, 10, f"the return of the gateway's {files_in_use()} open files to {files}")
        assert lab.resident_bytes() - resident < RESIDENT_GROWTH_MAX


def at_greeting(lab):
    client = Client(lab.port)
    client.read_greeting()
    return client


def after_tls(lab):
    client = at_greeting(lab)
    client.start_tls(lab.ca)
    return client


def asked_for_token(lab):
    client = after_tls(lab)
    client.send(client.handshake_response("shop", b"\x01" * 32, capabilities=USUAL | CLIENT_SSL))
    assert client.receive() == b"\x01\x04"
    return client


def logged_in(lab):
    client = lab.login("reporter")
    client.sequence = 0
    return client


STATES = [at_greeting, after_tls, asked_for_token, logged_in]


def ended(client):
    """The gateway ended the connection, with or without an error before."""
    client.socket.settimeout(10)
    return client.wait_for_end()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("sent", [b"", b"\x01", b"\x05\x00\x00", b"\x20\x00\x00\x01abc", b"\xff\xff\xff\x01" + b"x" * 1000],
                         ids=["nothing", "a byte", "half a header", "half a packet", "the start of a large packet"])
def test_truncated(lab, state, sent):
    with state(lab) as client:
        if sent:
            client.send_raw(sent)
        client.close()


@pytest.mark.parametrize("state", STATES)
def test_out_of_order(lab, state):
    with state(lab) as client:
        client.sequence = 77
        client.send(b"\x03SELECT 1")
        error = ended(client)
    assert error is None or error.code in (1043, 1156)


@pytest.mark.parametrize("state", STATES[:3])
def test_oversized_before_the_login(lab, state):
    """Nobody unknown gets a large buffer: refused by the size in the header."""
    with state(lab) as client:
        try:
            for _ in range(4):
                client.send_raw(b"\xff\xff\xff" + bytes([client.sequence]) + b"x" * 0xFFFFFF)
                client.sequence += 1
        except Closed:
            pass
        ended(client)
    assert lab.resident_bytes() < 400 * MEBIBYTE


def test_oversized_after_the_login(lab):
    with logged_in(lab) as client:
        try:
            client.command(QUERY, b"SELECT '" + b"x" * (65 * MEBIBYTE) + b"'")
        except Closed:
            return  # already refused while sending
        error = ended(client)
        assert error is None or error.code == 1153


@pytest.mark.parametrize("state", STATES)
def test_random_packets(lab, state):
    chance = random.Random(20)
    for _ in range(40):
        with state(lab) if state is not logged_in else at_greeting(lab) as client:
            try:
                for _ in range(3):
                    client.send(chance.randbytes(chance.choice([0, 1, 4, 31, 32, 33, 200, 4000])))
                client.socket.settimeout(0.2)
                client.receive()
            except (Closed, TimeoutError, OSError):
                pass


def test_random_commands(lab):
    """Framed rightly, filled with noise: an answer or the end, never a hang. Those that change the server are left out."""
    chance = random.Random(21)
    unanswered = {0x01, 0x18, 0x19}
    for opcode in range(256):
        if opcode in unanswered:
            continue
        with logged_in(lab) as client:
            client.socket.settimeout(5)
            try:
                client.command(opcode, chance.randbytes(chance.choice([0, 1, 5, 50])))
                client.receive()
                if opcode not in (QUERY, FIELD_LIST, 0x04, 0x1A):
                    client.command(PING)
                    client.receive()
            except Closed:
                pass


def test_random_bytes_instead_of_tls(lab):
    chance = random.Random(22)
    for size in (1, 5, 100, 5000):
        with at_greeting(lab) as client:
            header = client.capability_header(USUAL | CLIENT_SSL)
            client.send(header)
            client.send_raw(chance.randbytes(size))
            client.socket.settimeout(5)
            try:
                while client.socket.recv(4096):
                    pass
            except OSError:
                pass


@pytest.mark.parametrize("extra", [b"\x09\x00\x00\x02\x03SELECT 1", b"\x00", b"\x16\x03\x01"], ids=["a query", "a byte", "what looks like TLS"])
def test_plaintext_slipped_in_after_the_tls_request(lab, extra):
    """What came in the same segment as the request, before TLS, must not count as said within it."""
    mark = lab.audit_mark()
    with lab.server_logins() as logins, at_greeting(lab) as client:
        try:
            client.start_tls(lab.ca, extra_plaintext=extra)
            client.send(client.handshake_response("shop", capabilities=USUAL | CLIENT_SSL))
            client.receive()
            pytest.fail("the login went on")
        except (Closed, ServerError, OSError):
            pass
    assert not logins
    assert not [one for one in lab.audit(mark) if one["type"] == "login_accepted"]


def test_a_second_tls_request(lab):
    with after_tls(lab) as client:
        client.send(client.capability_header(USUAL | CLIENT_SSL))
        ended(client)


def test_slow_loris(lab):
    """A byte now and then keeps nobody's place: the time is counted from the greeting."""
    mark = lab.audit_mark()
    for state in STATES[:3]:
        with state(lab) as client:
            began = time.monotonic()
            try:
                for byte in b"\x30\x00\x00" + bytes([client.sequence]) + b"x" * 48:
                    client.send_raw(bytes([byte]))
                    time.sleep(0.25)
                pytest.fail("the gateway waited for all of it")
            except Closed:
                pass
            assert time.monotonic() - began < 8
    reasons = [one["reason"] for one in lab.audit(mark) if one["type"] == "login_refused"]
    assert reasons.count("handshake_timeout") == 3


def test_many_silent_clients(lab):
    clients = [Client(lab.port) for _ in range(200)]
    lab.login("reporter").close()
    for one in clients:
        one.read_greeting()
        ended(one)
        one.close()


def test_pipelined_commands_are_answered_in_order(lab):
    with logged_in(lab) as client:
        data = b"".join(packet(0, bytes([QUERY]) + f"SELECT {number}".encode()) for number in range(50))
        client.send_raw(data)
        assert [client.read_result() for _ in range(50)] == [[[str(number).encode()]] for number in range(50)]


def test_a_client_that_sends_before_the_login_is_done(lab):
    """A query behind the token in one write is no query of a session that does not exist yet."""
    with asked_for_token(lab) as client:
        token = lab.token("reporter").encode() + b"\0"
        client.send_raw(packet(client.sequence, token) + packet(0, bytes([QUERY]) + b"SELECT 'early'"))
        client.socket.settimeout(5)
        try:
            first = client.receive()
            assert first[:1] in (b"\x00", b"\xff")
        except Closed:
            pass


def test_bytes_one_by_one(lab):
    with logged_in(lab) as client:
        for byte in packet(0, bytes([QUERY]) + b"SELECT 'slowly'"):
            client.send_raw(bytes([byte]))
        assert client.read_result() == [[b"slowly"]]


@pytest.mark.parametrize("opcode,body", [
    (STMT_EXECUTE, b""), (STMT_EXECUTE, struct.pack("<IBI", 99, 0, 1)), (STMT_EXECUTE, struct.pack("<IBI", 0xFFFFFFFF, 0, 1)), (STMT_PREPARE, b""),
    (STMT_CLOSE, b""), (STMT_CLOSE, struct.pack("<I", 12345)), (INIT_DB, b""), (CHANGE_USER, b"root\0\0\0"), (CHANGE_USER, b""), (RESET, b"more"),
    (0x12, b"\0" * 11), (0x15, struct.pack("<I", 1) + b"\0" * 20), (0x1E, b"\0" * 20), (0x07, b"\x01"), (0x08, b"\0"), (0x0C, struct.pack("<I", 1)),
    (0x0D, b""), (0x11, b"\xff" * 100), (0x1B, struct.pack("<H", 9)), (0xFA, b"\0" * 10), (0xFF, b"")])
def test_malformed_and_unusual_commands(lab, opcode, body):
    """Answered with an error, or ignored where the protocol has no answer, or the end; the next session works."""
    with logged_in(lab) as client:
        client.socket.settimeout(5)
        try:
            client.command(opcode, body)
            if opcode != STMT_CLOSE:
                client.receive()
            client.command(PING)
            client.receive()
        except Closed:
            pass


# The server's side


@contextmanager
def faulty(lab, behave):
    with FaultyServer(int(lab.values["LAB_SPARE_PORT_7"]), behave):
        yield


def login_error(lab):
    mark = lab.audit_mark()
    with pytest.raises((ServerError, Closed)) as failure:
        lab.login(user="faulty").close()
    record = lab.wait_for_record(mark, type="login_refused")
    return failure.value, record["reason"]


def hang(connection):
    read_packet(connection)
    time.sleep(20)


def hang_at_once(connection):
    del connection
    time.sleep(20)


LOGIN_FAULTS = {
    "closes at once": lambda connection: None,
    "hangs at once": hang_at_once,
    "hangs after the greeting": lambda connection: (connection.sendall(greeting()), hang(connection)),
    "garbage": lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"\xff" * 500),
    "too many connections": lambda connection: connection.sendall(packet(0, b"\xff" + struct.pack("<H", 1040) + b"Too many connections")),
    "host blocked": lambda connection: connection.sendall(packet(0, b"\xff" + struct.pack("<H", 1129) + b"Host is blocked")),
    "an old protocol": lambda connection: connection.sendall(packet(0, b"\x09" + b"3.20\0" + b"\0" * 20)),
    "an empty greeting": lambda connection: connection.sendall(packet(0, b"")),
    "half a greeting, then the end": lambda connection: connection.sendall(greeting()[:30]),
    "half a greeting, then silence": lambda connection: (connection.sendall(greeting()[:30]), time.sleep(20)),
    "a huge greeting": lambda connection: connection.sendall(b"\xff\xff\xff\x00" + b"\x0a" * 0xFFFFFF),
    "a greeting byte by byte, for ever": lambda connection: [(connection.sendall(b"\x01"), time.sleep(0.2)) for _ in range(100)],
    "an unknown method": lambda connection: (connection.sendall(greeting()), read_packet(connection),
                                             connection.sendall(packet(2, b"\xfeno_such_method\0" + b"x" * 21)), hang(connection)),
    "asks for the password in the clear": lambda connection: (connection.sendall(greeting()), read_packet(connection),
                                                              connection.sendall(packet(2, b"\xfemysql_clear_password\0")), hang(connection)),
    "asks again and again": lambda connection: (connection.sendall(greeting()), [
        connection.sendall(packet(read_packet(connection)[0] + 1, b"\xfemysql_native_password\0" + b"x" * 20 + b"\0")) for _ in range(100)]),
    "wrong sequence": lambda connection: (connection.sendall(greeting()), read_packet(connection), connection.sendall(packet(9, OK)), hang(connection)),
    "refuses": lambda connection: (connection.sendall(greeting()), read_packet(connection),
                                   connection.sendall(packet(2, b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied for 'sallyport_reporter'"))),
}


@pytest.mark.parametrize("name", LOGIN_FAULTS)
def test_a_server_that_misbehaves_at_the_login(lab, name):
    began = time.monotonic()
    with faulty(lab, LOGIN_FAULTS[name]):
        error, reason = login_error(lab)
    assert time.monotonic() - began < 8, "the wait for the server has no end"
    assert reason.startswith("backend_"), reason
    assert "sallyport_reporter" not in str(error), "the database account is the gateway's secret"


def rows(count):
    return (packet(1, b"\x01") + packet(2, COLUMN) + packet(3, EOF_PACKET) +
            b"".join(packet(4 + number, lenenc(b"x" * 100)) for number in range(count)))


RESULT_FAULTS = {
    "closes instead of answering": lambda connection: None,
    "dies in the columns": lambda connection: connection.sendall(packet(1, b"\x02") + packet(2, COLUMN)),
    "dies in the rows": lambda connection: connection.sendall(rows(50)),
    "dies in a row": lambda connection: connection.sendall(rows(50)[:-30]),
    "wrong sequence": lambda connection: connection.sendall(packet(5, OK)),
    "garbage": lambda connection: connection.sendall(b"\x00" * 3 + b"\x01" + os.urandom(200)),
    "a malformed OK": lambda connection: connection.sendall(packet(1, b"\x00\xfe")),
    "a malformed column": lambda connection: connection.sendall(packet(1, b"\x01") + packet(2, b"\xff" * 3) + packet(3, EOF_PACKET)),
    "more columns than there can be": lambda connection: connection.sendall(packet(1, b"\xfe" + b"\xff" * 8)),
    "asks for a file": lambda connection: connection.sendall(packet(1, b"\xfb/etc/passwd")),
    "an empty packet": lambda connection: connection.sendall(packet(1, b"")),
    "a row that is none": lambda connection: connection.sendall(packet(1, b"\x01") + packet(2, COLUMN) + packet(3, EOF_PACKET) + packet(4, b"\xfd\xff\xff\xff")),
}


@pytest.mark.parametrize("name", RESULT_FAULTS)
def test_a_server_that_misbehaves_in_an_answer(lab, name):
    mark = lab.audit_mark()
    with faulty(lab, lambda connection: answer_until(connection, b"SELECT 'wanted'", RESULT_FAULTS[name])):
        with lab.login(user="faulty") as client:
            client.socket.settimeout(10)
            client.command(QUERY, b"SELECT 'wanted'")
            try:
                while True:
                    payload = client.receive()
                    assert payload[:1] != b"\xfb" or name != "asks for a file", "the server's wish for a file reached the client"
            except Closed:
                pass
    start = lab.wait_for_record(mark, type="session_start", connection="faulty")
    end = lab.wait_for_record(mark, type="session_end", session=start["session"])
    assert end["reason"] in ("backend_closed", "backend_violation", "client_closed")
    session = [one for one in lab.audit(mark) if one["session"] == end["session"]]
    assert [one for one in session if one["type"] == "command"], "the statement has its record"


def test_a_server_that_sends_without_being_asked(lab):
    def behave(connection):
        negotiated = log_in(connection)
        while True:
            _, payload = read_packet(connection)
            connection.sendall(own_answer(payload, negotiated))
            if b"SELECT 'wanted'" in payload:
                connection.sendall(packet(0, b"\xff" + struct.pack("<H", 1927) + b"#70100Connection was killed"))
                time.sleep(1)
                return

    with faulty(lab, behave), lab.login(user="faulty") as client:
        client.command(QUERY, b"SELECT 'wanted'")
        client.receive()
        ended(client)


def test_a_statement_ends_with_its_client(lab):
    """The client goes in the middle of a result: the server's side of the session goes, too."""
    running = "SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT REPEAT(_gone%'"
    lab.load_fixture()
    with logged_in(lab) as client:
        client.command(QUERY, b"SELECT REPEAT('gone', 5000) FROM driver_rows a, driver_rows b")
        wait_until(lambda: lab.ask_root(running), 5, "the statement")
    wait_until(lambda: not lab.ask_root(running), 10, "the statement's end")


def test_the_servers_kill_is_told(lab):
    with logged_in(lab) as client:
        mark = lab.audit_mark()
        time.sleep(0.05)
        own = int(client.query("SELECT CONNECTION_ID()")[0][0])
        lab.ask_root(f"KILL {own}")
        try:
            client.query("SELECT 1")
            pytest.fail("the session goes on")
        except (ServerError, Closed):
            pass
    ends = [lab.wait_for_record(mark, type="command", text="SELECT CONNECTION_ID()")["session"]]
    assert lab.wait_for_record(mark, type="session_end", session=ends[0])["reason"] in ("backend_closed", "backend_violation")


def test_a_slow_reader_costs_no_memory(lab):
    """Back-pressure: what the client does not take stays in the server."""
    lab.load_fixture()
    before = lab.resident_bytes()
    with logged_in(lab) as client:
        client.command(QUERY, b"SELECT REPEAT('x', 10000) FROM driver_rows a, driver_rows b")
        most = 0
        for _ in range(20):
            time.sleep(0.1)
            most = max(most, lab.resident_bytes() - before)
        assert most < 64 * MEBIBYTE


def test_a_large_value_streams(lab):
    before = lab.resident_bytes()
    with logged_in(lab) as client:
        client.socket.settimeout(30)
        rows_seen = client.query(f"SELECT REPEAT('x', {30 * MEBIBYTE})")
        assert len(rows_seen[0][0]) == 30 * MEBIBYTE
    assert lab.resident_bytes() - before < 160 * MEBIBYTE


def test_many_sessions_come_and_go(lab):
    failures = []

    def work():
        text = lab.token("reporter")
        for _ in range(15):
            try:
                with lab.login(token=text) as client:
                    assert client.query("SELECT 1") == [[b"1"]]
            except Exception as failure:  # pylint: disable=broad-exception-caught
                failures.append(failure)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert not failures, failures[:3]


def test_a_reset_in_the_middle(lab):
    """RST instead of FIN, at every state."""
    for state in STATES:
        client = state(lab)
        raw = client.socket
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()


# The audit log


def file_size_limit(lab, limit):
    """Sets the limit of the gateway's file sizes: beyond it writes fail with EFBIG, as ENOSPC does on a full disk."""
    resource.prlimit(lab.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


def test_a_full_disk_under_the_audit_log(lab):
    """Nothing is forwarded whose record can't be written, and the client is told; with room again all works again."""
    with logged_in(lab) as client:
        client.query("SELECT 1")
        _, size = lab.audit_mark()
        executed = int(lab.ask_root("SHOW GLOBAL STATUS LIKE 'Com_do'")[0][1])
        file_size_limit(lab, size + 4096)
        try:
            refused = None
            for _ in range(5000):
                try:
                    client.query("DO /*" + "x" * 500 + "*/ 1")
                    executed += 1
                except ServerError as error:
                    refused = error
                    break
            assert refused is not None and "audit" in refused.message
            assert int(lab.ask_root("SHOW GLOBAL STATUS LIKE 'Com_do'")[0][1]) == executed, "a statement without a record was executed"
            text = lab.token("reporter")
            with lab.server_logins() as logins:
                for _ in range(8):
                    try:
                        lab.login(token=text).close()
                    except (ServerError, Closed):
                        pass
            assert len(logins) <= 8
        finally:
            file_size_limit(lab, resource.RLIM_INFINITY)
    wait_until(lambda: logs_in(lab), 10, "logins with room again")
    for record in lab.audit():
        assert record["type"]


def logs_in(lab):
    try:
        with lab.login("reporter") as client:
            return client.query("SELECT 1") == [[b"1"]]
    except (ServerError, Closed):
        return False
