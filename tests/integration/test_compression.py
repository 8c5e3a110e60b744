"""The compressed protocol on either leg, with stock clients and servers: the same answers, the same bounds."""

import contextlib
import os
import signal
import subprocess
import time
import zlib
from pathlib import Path

import pytest

from compressed_wire import CompressedClient, frame
from faulty_server import CAPABILITIES, COLUMN, EOF_PACKET, OK, FaultyServer, own_answer, packet, read_packet
from laboratory import local_files_on, wait_until
from mysql_wire import (CLIENT_COMPRESS, CLIENT_LOCAL_FILES, CLIENT_MULTI_STATEMENTS, CLIENT_ZSTD, QUERY, STMT_CLOSE, USUAL, Client, Closed,
                        ServerError)
from test_drivers import NAMES, answers_directly, assert_equal_steps, direct, mysql_client, run, through_gateway

LOCAL = USUAL | CLIENT_LOCAL_FILES
FLAT_BYTES = 24 << 20
COMPRESSED_NAMES = [name for name in NAMES if name != "pymysql"]  # it has no compression


def login(lab, user="shop.writer", capabilities=USUAL, token=None):
    client = CompressedClient(lab.port, timeout=60)
    client.login(user, token or lab.token("writer"), lab.ca, capabilities=capabilities)
    return client


@contextlib.contextmanager
def growth(lab):
    """By how many bytes the gateway has grown at most: a list, with the figure at the end."""
    before, seen = lab.resident_bytes(), []
    yield lambda: seen.append(lab.resident_bytes() - before)
    assert max(seen, default=0) < FLAT_BYTES, f"the gateway grew by {max(seen) >> 20} MiB"


def command_line(lab, program, compression, *options, user="shop"):
    if program == "mariadb":
        head = ["mariadb", "--no-defaults", "--ssl-verify-server-cert", "--compress"]
    else:
        head = [mysql_client()["MYSQL"], "--no-defaults", "--ssl-mode=VERIFY_IDENTITY", f"--compression-algorithms={compression}"]
    return [*head, "--host=127.0.0.1", f"--port={lab.port}", "--protocol=tcp", f"--user={user}", f"--ssl-ca={lab.ca}", *options]


def environment(lab):
    return {**os.environ, "MYSQL_PWD": lab.token("writer")}


# Which compression


WAYS = [("mariadb", "zlib"), ("mysql", "zlib"), ("mysql", "zstd"), ("mysql", "zstd,zlib"), ("mysql", "uncompressed")]


@pytest.mark.parametrize("connection", ["shop", "shrunk", "shrunk_best"])
@pytest.mark.parametrize("program, wished", WAYS)
def test_each_leg_is_compressed_by_its_own_choice(lab, connection, program, wished):
    if lab.kind == "mariadb" and wished == "zstd":
        pytest.skip("a MariaDB server has no zstd, and no listener of that flavor offers it")
    mark = lab.audit_mark()
    sql = "SELECT REPEAT('sallyport ', 100000)"
    if lab.kind == "mysql":
        sql += "; SELECT variable_value FROM performance_schema.session_status WHERE variable_name = 'Compression_algorithm'"
    done = subprocess.run(command_line(lab, program, wished, "--batch", "--skip-column-names", f"--execute={sql}",
                                       user=f"{connection}.writer"),
                          env=environment(lab), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "sallyport " * 100000
    record = lab.wait_for_record(mark, type="session_start")
    client = {"zlib": "zlib", "zstd": "zstd", "uncompressed": "none"}.get(wished, "zlib")
    server = {"shop": "none", "shrunk": "zlib"}.get(connection, "zstd" if lab.kind == "mysql" else "zlib")
    assert (record["client_compression"], record["server_compression"]) == (client, server)
    if lab.kind == "mysql":
        assert lines[1:] == [server if server != "none" else ""]


def test_with_both_flags_servers_choose_zlib_too(lab):
    """What compression_of() says of both flags, asked of the real server."""
    if lab.kind == "mariadb":
        pytest.skip("MariaDB has one flag only")
    password = (lab.directory / "secrets" / "sallyport_shared").read_text().strip()
    done = subprocess.run([mysql_client()["MYSQL"], "--no-defaults", "--ssl-mode=REQUIRED", "--compression-algorithms=zstd,zlib",
                           "--host=127.0.0.1", f"--port={lab.values['LAB_SERVER_PORT']}", "--protocol=tcp", "--user=sallyport_shared",
                           "--batch", "--skip-column-names", "--execute=SHOW STATUS LIKE 'Compression_algorithm'"],
                          env={**os.environ, "MYSQL_PWD": password}, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["Compression_algorithm", "zlib"]


def test_a_server_that_lacks_the_compression_is_not_used(lab):
    mark = lab.audit_mark()
    with FaultyServer(int(lab.values["LAB_SPARE_PORT_7"]), lambda connection: log_in(connection, compresses=False)):
        with pytest.raises(ServerError) as refusal:
            lab.login("reporter", user="faulty_shrunk")
    assert "[backend_incompatible]" in str(refusal.value)
    assert "faulty_shrunk.compression" in lab.wait_for_record(mark, type="login_refused")["detail"]


def test_the_metrics_tell_frames_from_what_they_hold(lab):
    before = lab.metrics()
    with login(lab, "shrunk.writer") as session:
        assert session.query("SELECT REPEAT('a', 1000000)")[0][0] == b"a" * 1000000
        now = lab.metrics()
        gained = {name: now[name] - before[name] for name in now if name in before and "{" not in name}
        for leg, direction in (("client", "sent"), ("backend", "received")):
            assert gained[f"sallyport_{leg}_framed_bytes_{direction}_total"] > 1000000
            assert 0 < gained[f"sallyport_{leg}_frame_bytes_{direction}_total"] < 20000
        assert gained["sallyport_client_connections_compressed"] == 1
    wait_until(lambda: lab.metrics()["sallyport_client_connections_compressed"] == before["sallyport_client_connections_compressed"])


# The same answers


@pytest.mark.parametrize("name", COMPRESSED_NAMES)
def test_drivers_get_the_direct_connections_answers(lab, name, tmp_path):
    compression = {"DRIVER_COMPRESSION": "zstd" if name == "mysql client" and lab.kind == "mysql" else "zlib"}
    # MariaDB's client loses its connection over large values that are compressed, without a gateway, too.
    expected = run(lab, name, tmp_path, **direct(lab), **compression) if name == "mariadb client" else answers_directly(lab, name, tmp_path)
    assert "refused" not in expected[0], f"the direct login fails: {expected[0]}"
    mark = lab.audit_mark()
    settings = through_gateway(lab) | {"DRIVER_USER": "shrunk_best", "DRIVER_DATABASE": "shop"}
    seen = run(lab, name, tmp_path, **settings, **compression)
    assert "refused" not in seen[0], f"the login through the gateway fails: {seen[0]}"
    assert_equal_steps(expected, seen)
    assert lab.wait_for_record(mark, type="session_start")["client_compression"] == compression["DRIVER_COMPRESSION"]


@pytest.mark.parametrize("frame_bytes", [1, 5, 1000, 0xFFFFFF])
def test_packets_and_frames_have_their_own_bounds(lab, frame_bytes):
    with login(lab, "shrunk.writer", CLIENT_MULTI_STATEMENTS | USUAL) as session:
        session.frame_bytes = frame_bytes
        for size in (0, 1, 60, 300, 70000 if frame_bytes > 100 else 900):
            assert session.query(f"SELECT '{'x' * size}'") == [[b"x" * size]]
        statement, *_ = session.prepare("SELECT LENGTH(CONCAT(?, ?))")
        assert session.execute(statement, [b"1", b"2" * 2000])
        session.command(QUERY, b"SELECT 1; SELECT 'two'")
        assert session.read_result() == [[b"1"]] and session.read_result() == [[b"two"]]
        session.command(STMT_CLOSE, b"\1\0\0\0")
        assert session.query("SELECT 'after'") == [[b"after"]]


def test_a_packet_above_16_mib_passes_both_ways(lab):
    size = 20 << 20
    before = lab.ask_root("SELECT @@GLOBAL.max_allowed_packet")[0][0]
    lab.ask_root(f"SET GLOBAL max_allowed_packet = {64 << 20}")
    try:
        with login(lab, "shrunk_best.writer") as session:
            assert session.query(f"SELECT LENGTH('{'y' * size}')") == [[str(size).encode()]]
            assert session.query(f"SELECT REPEAT('z', {size})") == [[b"z" * size]]
            assert session.query("SELECT 'after'") == [[b"after"]]
    finally:
        lab.ask_root(f"SET GLOBAL max_allowed_packet = {before}")


def test_commands_sent_ahead_are_answered_one_by_one(lab):
    """Each answer's frames are numbered from the command's own last."""
    texts = ["SELECT 1", "SELECT REPEAT('b', 100000)", f"SELECT '{'c' * 40000}'", "SELECT 4"]
    with login(lab) as session:
        session.frame_bytes, first = 16000, []
        for text in texts:
            session.command(QUERY, text.encode())
            first.append(session.frame_number)
        for number, answer in zip(first, (b"1", b"b" * 100000, b"c" * 40000, b"4")):
            session.frame_number = number
            assert session.read_result() == [[answer]]


def test_two_commands_in_one_frame_are_two(lab):
    commands = b"".join(len(text).to_bytes(3, "little") + b"\0" + text for text in (b"\3SELECT 1", b"\3SELECT 2"))
    with login(lab) as session:
        session.send_frames(frame(0, commands, stored=True))
        session.frame_number = 1
        assert session.read_result() == [[b"1"]] and session.read_result() == [[b"2"]]


@pytest.mark.parametrize("program, wished", [("mariadb", "zlib"), ("mysql", "zlib"), ("mysql", "zstd")])
def test_a_large_file_is_loaded(lab, program, wished, tmp_path):
    if lab.kind == "mariadb" and wished == "zstd":
        pytest.skip("no zstd with MariaDB")
    size, line = 100 << 20, b"x" * 1000 + b"%022d\n"
    file = tmp_path / "large.csv"
    with open(file, "wb") as out:
        for number in range(size // 1024):
            out.write(line % number)
    size = file.stat().st_size
    lab.ask_root("DROP TABLE IF EXISTS shop.loaded")
    lab.ask_root("CREATE TABLE shop.loaded (a VARCHAR(1100)) ENGINE=" + ("Aria" if lab.kind == "mariadb" else "MyISAM"))
    mark = lab.audit_mark()
    try:
        with local_files_on(lab), growth(lab) as look:
            client = subprocess.Popen(command_line(lab, program, wished, "--local-infile=1", user="shrunk.writer") +
                                      [f"--execute=LOAD DATA LOCAL INFILE '{file}' INTO TABLE shop.loaded"],
                                      env=environment(lab), stderr=subprocess.PIPE, text=True)
            while client.poll() is None:
                look()
                time.sleep(0.05)
        assert client.returncode == 0, client.stderr.read()
        assert lab.ask_root("SELECT COUNT(DISTINCT a) FROM shop.loaded")[0][0] == 100 << 10
    finally:
        lab.ask_root("DROP TABLE shop.loaded")
    assert lab.wait_for_record(mark, type="outcome", uploaded_bytes=size)["status"] == "ok"


def test_a_file_of_many_small_packets_wraps_the_numbers(lab):
    with local_files_on(lab), login(lab, "shrunk.writer", LOCAL) as session:
        session.query("CREATE TEMPORARY TABLE loaded (a VARCHAR(100))")
        for count in (1, 252, 253, 254, 255, 256, 700):
            file, rows = session.load("LOAD DATA LOCAL INFILE 'f.csv' INTO TABLE loaded", [b"%d\n" % n for n in range(count)])
            assert (file, rows) == ("f.csv", count)
            assert session.query("SELECT 'after'") == [[b"after"]]


@pytest.mark.parametrize("user", ["shop.writer", "shrunk_best.writer"])
def test_a_large_result_takes_little_memory(lab, user):
    rows, pad = 100_000, 1000
    source = "seq_1_to_100000" if lab.kind == "mariadb" else \
        "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 100000) SELECT n FROM s) t"
    hint = "" if lab.kind == "mariadb" else "/*+ SET_VAR(cte_max_recursion_depth=100001) */ "
    with login(lab, user) as session, growth(lab) as look:
        session.command(QUERY, f"SELECT {hint}REPEAT('r', {pad}) FROM {source}".encode())
        session.receive_ok()
        session.read_definitions(1)
        count = 0
        while not session.ends(payload := session.receive_ok()):
            assert len(payload) == pad + 3
            count += 1
            if count % 5000 == 0:
                look()
                time.sleep(0.02)  # a client that is slower than the server
        assert count == rows
        assert session.query("SELECT 'after'") == [[b"after"]]


@pytest.mark.parametrize("wished", ["zlib", "zstd"])
def test_a_compressed_dump_restores_to_equal_checksums(lab, wished, tmp_path):
    if lab.kind == "mariadb" and wished == "zstd":
        pytest.skip("no zstd with MariaDB")
    lab.load_fixture()
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop' AND table_type = 'BASE TABLE' ORDER BY 1"
    names = [name for name, in lab.ask_root(tables)]
    lab.ask_root("DROP DATABASE IF EXISTS shop_shrunk")
    lab.ask_root("CREATE DATABASE shop_shrunk CHARACTER SET utf8mb4")
    lab.ask_root("GRANT ALL PRIVILEGES ON shop_shrunk.* TO shop_writer")
    program = "mariadb" if lab.kind == "mariadb" else "mysql"
    client = command_line(lab, program, wished, "--default-character-set=utf8mb4", user="shrunk_best.writer")
    dump = ["mariadb-dump", *client[1:]] if lab.kind == "mariadb" else \
        [str(Path(lab.values["LAB_CLIENT"]).parent / "mysqldump"), *client[1:], "--no-tablespaces", "--set-gtid-purged=OFF"]
    try:
        with open(tmp_path / "dump.sql", "wb") as out:
            done = subprocess.run([*dump, "--skip-triggers", "shop", *names], env=environment(lab), stdout=out, stderr=subprocess.PIPE,
                                  text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        with open(tmp_path / "dump.sql", "rb") as text:
            done = subprocess.run([*client, "shop_shrunk"], env=environment(lab), stdin=text, capture_output=True, text=True, check=False,
                                  timeout=120)
        assert done.returncode == 0, done.stderr
        for name in names:
            (_, one), (_, other) = (lab.ask_root(f"CHECKSUM TABLE {schema}.{name}")[0] for schema in ("shop", "shop_shrunk"))
            assert one == other, name
    finally:
        lab.ask_root("REVOKE ALL PRIVILEGES ON shop_shrunk.* FROM shop_writer")
        lab.ask_root("DROP DATABASE shop_shrunk")


# Life of a session


@pytest.mark.parametrize("connection", ["shrunk", "shrunk_best"])
def test_a_pooled_connection_stays_compressed_from_session_to_session(lab, connection):
    def server_connection():
        mark = lab.audit_mark()
        with login(lab, f"{connection}.writer") as session:
            assert session.query("SELECT @trace IS NULL") == [[b"1"]]
            session.query("SET @trace = 1")
            session.command(STMT_CLOSE, b"\1\0\0\0")
        return lab.wait_for_record(mark, type="session_start")
    first = server_connection()
    wait_until(lambda: server_connection()["server_connection"] == "reused", what="a connection used again")
    assert server_connection()["server_compression"] == first["server_compression"] != "none"


def test_another_user_goes_on_compressed(lab):
    mark = lab.audit_mark()
    with login(lab, "shrunk.writer") as session:
        assert session.query("SELECT 1") == [[b"1"]]
        for user in ("shop.reader", "shrunk_best.writer"):
            session.change_user(user, lab.token("writer"))
            assert session.query("SELECT REPEAT('u', 3000)") == [[b"u" * 3000]]
    record = lab.wait_for_record(mark, type="session_start", connection="shrunk_best")
    assert record["client_compression"] == "zlib"


@pytest.mark.parametrize("program", ["mariadb", "mysql"])
def test_interrupting_a_compressed_client_ends_its_statement(lab, program):
    mark = lab.audit_mark()
    client = subprocess.Popen(command_line(lab, program, "zlib", "--unbuffered", "--force", "--sigint-ignore=0", user="shrunk.writer"),
                              env=environment(lab), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        client.stdin.write("SELECT SLEEP(50), 'slept';\nSELECT 'after';\n")
        client.stdin.flush()
        record = lab.wait_for_record(mark, type="command", text="SELECT SLEEP(50), 'slept'")
        time.sleep(0.3)
        began = time.monotonic()
        client.send_signal(signal.SIGINT)
        lab.wait_for_record(mark, type="outcome", of=record["seq"], session=record["session"])
        assert time.monotonic() - began < 20
    finally:
        client.kill()
        client.wait()


def test_an_idle_session_ends_with_an_error_that_the_next_command_reads(lab):
    """As the answer to a command: in a frame with the number 1."""
    from forge import claims, token  # pylint: disable=import-outside-toplevel
    short = token(lab.keys["es-1"], claims(sub="agent-forged", exp=int(time.time()) + 3))
    client = CompressedClient(lab.port)
    client.login("shop", short, lab.ca)
    with client:
        for _ in range(3):
            assert client.query("SELECT REPEAT('i', 50000)") == [[b"i" * 50000]]
        time.sleep(4.5)
        client.frame_number = 1
        error = client.wait_for_end()
        assert error is not None and "[token_expired]" in str(error)


# Bad frames


COMMAND = b"\x09\0\0\0\x03SELECT 1"
BOMB = b"\0" * 0xFFFFFF
BAD = {"a wrong number": frame(5, COMMAND, stored=True), "no content": b"\0\0\0\0\0\0\0",
       "noise": (60).to_bytes(3, "little") + b"\0" + (100).to_bytes(3, "little") + bytes(range(60)),
       "more than announced": frame(0, COMMAND * 10, announced=100), "less than announced": frame(0, COMMAND * 10, announced=5000)}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_frame_of_a_client_ends_its_session(lab, what):
    mark = lab.audit_mark()
    with login(lab) as session:
        start = lab.wait_for_record(mark, type="session_start")
        session.send_frames(BAD[what])
        session.frame_number = 1
        with contextlib.suppress(Closed, AssertionError):
            session.wait_for_end()
    end = lab.wait_for_record(mark, type="session_end", session=start["session"])
    assert end["reason"] == "client_violation" and "compressed frame" in end["detail"]
    with lab.login() as session:
        assert session.query("SELECT 1") == [[b"1"]]


def test_a_bomb_unfolds_into_no_more_than_the_session_reads(lab):
    """16 MiB of one command that is too long, and 4 million empty ones, in 16 KiB each."""
    with growth(lab) as look:
        for head in (b"\xff\xff\xff\0", b""):
            with login(lab) as session:
                session.send_frames(frame(0, (head + BOMB)[:0xFFFFFF]))
                for _ in range(20):
                    look()
                    time.sleep(0.05)
    with lab.login() as session:
        assert session.query("SELECT 1") == [[b"1"]]


def test_a_message_above_the_limit_is_refused_however_small_its_frames_are(lab):
    with login(lab) as session:
        for number in range(6):
            session.send_frames(frame(number, b"\xff\xff\xff" + bytes([number]) + BOMB[:-4]))
        session.frame_number = 6
        error = None
        with contextlib.suppress(Closed, AssertionError):
            error = session.wait_for_end()
    assert error is None or "[packet_too_large]" in str(error)
    assert lab.alive()


def log_in(connection, compresses=True):
    from faulty_server import greeting  # pylint: disable=import-outside-toplevel
    hello = bytearray(greeting())
    at = hello.index(b"\0", 5) + 1 + 4 + 8 + 1
    if compresses:
        hello[at] |= CLIENT_COMPRESS
    connection.sendall(bytes(hello))
    sequence, response = read_packet(connection)
    connection.sendall(packet(sequence + 1, OK))
    return CAPABILITIES & int.from_bytes(response[:4], "little")


def read_commands(connection):
    """Of one frame."""
    body, commands = read_frame(connection), []
    while body:
        size = int.from_bytes(body[:3], "little")
        commands.append(body[4:4 + size])
        body = body[4 + size:]
    return commands


def answer_own(connection, negotiated, wanted):
    """Answers the gateway's own commands, until the wanted one has come."""
    while True:
        commands = read_commands(connection)
        if any(wanted in command for command in commands):
            return
        connection.sendall(frame(1, b"".join(own_answer(command, negotiated) for command in commands), stored=True))


def read_frame(connection):
    header = b""
    while len(header) < 7:
        header += connection.recv(7 - len(header)) or b"\xff" * 7
    body, length = b"", int.from_bytes(header[:3], "little")
    while len(body) < length:
        body += connection.recv(length - len(body))
    return zlib.decompress(body) if any(header[4:7]) else body


ROWS = b"".join(packet(number + 1, one) for number, one in
                enumerate((b"\x01", COLUMN, EOF_PACKET, b"\x01a")))
SERVER_BAD = {"a wrong number": frame(9, packet(1, OK), stored=True), "noise": BAD["noise"][:3] + b"\1" + BAD["noise"][4:],
              "too little": frame(1, packet(1, OK) * 20, announced=9000), "in a row": frame(1, ROWS + b"\xff\xff\xff\5", stored=True) + b"\0" * 7}


@pytest.mark.parametrize("what", SERVER_BAD)
def test_a_bad_frame_of_a_server_ends_the_session(lab, what):
    def behave(connection):
        answer_own(connection, log_in(connection), b"SELECT 1")
        connection.sendall(SERVER_BAD[what])
        connection.recv(1)
    mark = lab.audit_mark()
    with FaultyServer(int(lab.values["LAB_SPARE_PORT_7"]), behave):
        with lab.login("reporter", user="faulty_shrunk") as session:
            with pytest.raises((ServerError, Closed)):
                session.query("SELECT 1")
    start = lab.wait_for_record(mark, type="session_start", connection="faulty_shrunk")
    end = lab.wait_for_record(mark, type="session_end", session=start["session"])
    assert end["reason"] == "backend_violation" and "compressed frame" in end["detail"]


def test_a_server_closing_behind_its_last_frame_is_heard_to_the_end(lab):
    def behave(connection):
        answer_own(connection, log_in(connection), b"SELECT 1")
        rows = ROWS + b"".join(packet(5 + number, b"\x02ab") for number in range(20000)) + packet(5 + 20000, EOF_PACKET)
        connection.sendall(frame(1, rows))
    with FaultyServer(int(lab.values["LAB_SPARE_PORT_7"]), behave):
        with lab.login("reporter", user="faulty_shrunk", capabilities=USUAL & ~(1 << 24)) as session:
            assert len(session.query("SELECT 1")) == 20001


def test_bytes_before_the_end_of_the_login_are_refused(lab):
    mark = lab.audit_mark()
    client = Client(lab.port)
    with client, pytest.raises((Closed, ServerError)):
        client.read_greeting()
        client.start_tls(lab.ca, USUAL | CLIENT_COMPRESS)
        client.send(client.handshake_response("shop.writer", b"\x01" * 32, capabilities=USUAL | CLIENT_COMPRESS | (1 << 11)))
        assert client.receive_ok() == b"\x01\x04"
        client.send_raw(packet(client.sequence, lab.token("writer").encode() + b"\0") + frame(0, b"\1\0\0\0\x0e", stored=True))
        client.receive_ok()
        client.wait_for_end()
        raise Closed("in the end")
    assert lab.wait_for_record(mark, type="session_end")["reason"] == "client_violation"


def test_a_level_that_no_zstd_has_is_refused(lab):
    if lab.kind == "mariadb":
        pytest.skip("no zstd with MariaDB")
    for level in (0, 23, 255):
        with Client(lab.port) as client:
            client.read_greeting()
            flags = USUAL | CLIENT_ZSTD | (1 << 11)
            client.start_tls(lab.ca, flags)
            client.send(client.handshake_response("shop", b"\x01" * 32, capabilities=flags) + bytes([level]))
            with pytest.raises(ServerError) as refusal:
                client.receive_ok()
            assert "[handshake_malformed]" in str(refusal.value)
