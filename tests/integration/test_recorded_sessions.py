"""What the audit log tells is what happened: a script made of it does the same to a server, and a replay shows what the client got."""

import json
import os
import re
import struct
import subprocess

import pytest

from laboratory import REPOSITORY
from mysql_wire import (CLIENT_DEPRECATE_EOF, CLIENT_MULTI_STATEMENTS, CLIENT_PS_MULTI_RESULTS, CLIENT_SESSION_TRACK, QUERY, USUAL,
                        Client, ServerError, read_lenenc_number)
from test_answers_at_rest import answers_of
from test_audit_crashes import gateway_of
from test_drivers import NAMES, contents, difference, log_since, recorded_run

BINARY = os.environ.get("SALLYPORT_BINARY", REPOSITORY / "build" / "release" / "bin" / "sallyport")


def sallyport(*arguments):
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def run_script(lab, script):
    password = (lab.directory / "secrets" / "sallyport_shared").read_text().strip()
    with open(script, "rb") as text:
        subprocess.run([lab.values["LAB_CLIENT"], "--no-defaults", "--binary-mode", "--comments", "--force", "--user=sallyport_shared",
                        f"--socket={lab.values['LAB_SERVER_SOCKET']}", "--default-character-set=utf8mb4", "--max-allowed-packet=64M",
                        "--init-command=SET ROLE shop_writer"],
                       stdin=text, capture_output=True, check=False, timeout=300, env={**os.environ, "MYSQL_PWD": password})


@pytest.mark.parametrize("name", NAMES)
def test_a_script_of_the_log_yields_the_same_database(lab, name, tmp_path):
    seen, log, expected = recorded_run(lab, name, tmp_path)
    assert "refused" not in seen[0], seen[0]
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    sallyport("sessions", "export", "--dir", log, "--format", "sql", "--split", scripts)
    lab.load_fixture()
    assert contents(lab) != expected, "the driver's script changes something"
    for script in sorted(scripts.iterdir()):
        run_script(lab, script)
    found = contents(lab)
    assert found == expected, difference(expected, found)


def test_a_script_has_parameters_in_the_character_set_of_their_session(lab, tmp_path):
    lab.load_fixture()
    mark = lab.audit_mark()
    with lab.login("writer", schema="shop") as client:
        statement = client.prepare("INSERT INTO driver_unique (id, name, small) VALUES (?, ?, 1)")[0]
        names = [(b"SET NAMES latin1", [b"\xe9", b"\xc3\xa9", b"\xc3\xa9\\"]), (b"SET NAMES gbk", [b"\xd6\xd0\\", b"\xbf\x5c"]),
                 (b"SET NAMES utf8mb4", ["é\\".encode(), "\U0001f600\n'".encode(), b"plain"])]
        number = 100
        for set_names, values in names:
            client.query(set_names.decode())
            for value in values:
                client.execute(statement, [str(number := number + 1).encode(), value])
    lab.wait_for_record(mark, type="session_end")
    stored = "SELECT id, HEX(name) FROM shop.driver_unique WHERE id > 100 ORDER BY id"
    expected = lab.ask_root(stored)
    assert len(expected) == 8
    log = log_since(lab, mark, tmp_path / "log")
    script = tmp_path / "script.sql"
    sallyport("sessions", "export", "--dir", log, "--format", "sql", "--output", script)
    lab.load_fixture()
    run_script(lab, script)
    assert lab.ask_root(stored) == expected, script.read_bytes()


def test_a_replay_shows_each_statement_and_how_it_ended(lab, tmp_path):
    """Whether or not answers are recorded."""
    lab.load_fixture()
    mark = lab.audit_mark()
    with lab.login("writer", schema="shop", capabilities=USUAL | CLIENT_DEPRECATE_EOF | CLIENT_MULTI_STATEMENTS) as client:
        statement, _, _ = client.prepare("SELECT id, name FROM driver_unique WHERE id = ? OR name = ?")
        assert len(client.execute(statement, [b"1", b"two"])) == 2
        with pytest.raises(ServerError) as error:
            client.query("SELECT * FROM not_there")
        client.query("SELECT 'seen \x1b[2J' AS x")
    lab.wait_for_record(mark, type="session_end")
    log = log_since(lab, mark, tmp_path / "log")
    session = json.loads(sallyport("sessions", "list", "--dir", log, "--json").splitlines()[0])
    text = sallyport("sessions", "replay", session["session"], "--dir", log, "--speed", "max").decode()
    assert "SELECT id, name FROM driver_unique WHERE id = ? OR name = ?" in text
    assert "with '1', 'two'" in text
    assert f"ERROR {error.value.code} ({error.value.state}): {error.value.message}" in text
    assert "SELECT 'seen \\x1B[2J' AS x;" in text and "\x1b" not in text
    assert text.index("with '1', 'two'") < text.index("not_there") < text.index("-- end: client_closed")


class Recording(Client):
    """A client that keeps what it gets."""

    captured = b""

    def receive_raw(self, size):
        data = super().receive_raw(size)
        self.captured += data
        return data


def read_several(client, sql):
    """All results of a statement."""
    client.command(QUERY, sql.encode())
    more_results = 8
    while True:
        payload = client.receive_ok()
        if payload[:1] == b"\x00":
            _, at = read_lenenc_number(payload, 1)
            _, at = read_lenenc_number(payload, at)
            flags = struct.unpack_from("<H", payload, at)[0]
        else:
            client.read_header(payload)
            _, flags = client.read_rows()
        if not flags & more_results:
            return


def framed(names, rows):
    """A table as command line clients print it; numbers stand to the right."""
    def shown(value):
        return "NULL" if value is None else str(value)
    widths = [max(len(name), *(len(shown(row[i])) for row in rows)) for i, name in enumerate(names)]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+\n"

    def line(cells):
        return "|" + "|".join(f" {shown(cell):{'>' if isinstance(cell, int) else '<'}{width}} " for cell, width in zip(cells, widths)) + "|\n"
    return rule + line(names) + rule + "".join(map(line, rows)) + rule


@pytest.fixture(scope="module")
def recording(kind, tmp_path_factory):
    """A lab whose gateway records all of each answer."""
    with gateway_of(kind, tmp_path_factory.mktemp("recording") / "lab", durability="normal", answers="all") as (lab, gateway):
        gateway.start()
        lab.load_fixture()
        yield lab


def replay_of(lab, mark):
    session = lab.wait_for_record(mark, type="session_end")["session"]
    text = sallyport("sessions", "replay", session, "--dir", lab.audit_directory(), "--speed", "max", "--rows", 0, "--value-bytes", 0).decode()
    assert "not what the log says" not in text and "can't be read" not in text and "not recorded" not in text
    return session, text


@pytest.mark.parametrize("more", [0, CLIENT_DEPRECATE_EOF, CLIENT_DEPRECATE_EOF | CLIENT_SESSION_TRACK])
def test_a_replay_shows_what_a_capture_at_the_clients_side_has(recording, more):
    """Several results, binary rows, errors: byte by byte what the client got, and what that says."""
    lab = recording
    mark = lab.audit_mark()
    captures = []
    with Recording(lab.port) as client:
        client.login("shop", lab.token("writer"), lab.ca, "shop", capabilities=USUAL | CLIENT_PS_MULTI_RESULTS | more)

        def step(send):
            client.captured = b""
            try:
                return send()
            except ServerError as error:
                return error
            finally:
                captures.append(client.captured)
        step(lambda: read_several(client, "CALL driver_results(3)"))
        statement = step(lambda: client.prepare("SELECT id, name, small FROM driver_unique WHERE id >= ? ORDER BY id"))[0]
        step(lambda: client.execute(statement, [b"1"]))
        error = step(lambda: client.query("SELECT * FROM not_there"))
        step(lambda: client.query("SELECT day, moment_fraction, fixed_binary, varied, latin FROM driver_types WHERE id IN (1, 3)"))
        typed = step(lambda: client.prepare("SELECT day, moment_fraction, fixed_binary, varied, latin FROM driver_types WHERE id IN (1, 3)"))[0]
        step(lambda: client.execute(typed))
        step(lambda: client.query("UPDATE driver_unique SET small = 55 WHERE id = 1"))
        step(lambda: client.query("UPDATE driver_unique SET small = 1 WHERE id = 1"))
    session, text = replay_of(lab, mark)
    recorded = answers_of(lab.audit_directory(), [])
    commands = [one for one in lab.audit(mark) if one["type"] == "command" and one["command"] not in ("quit", "stmt_close")]
    assert [recorded[session, one["seq"]] for one in commands] == captures
    numbers = framed(["id", "label"], [(0, "row 0000"), (1, "row 0001"), (2, "row 0002")])
    assert numbers + "3 rows in set\n" + framed(["which", "given"], [("second", 3)]) + "1 row in set\nEmpty set\nQuery OK, 0 rows affected\n" in text
    assert "with '1'\n" + framed(["id", "name", "small"], [(1, "one", 1), (2, "two", 2)]) + "2 rows in set\n" in text
    assert f"ERROR {error.code} ({error.state}): {error.message}\n" in text
    values = framed(["day", "moment_fraction", "fixed_binary", "varied", "latin"],
                    [("9999-12-31", "9999-12-31 23:59:59.999999", "0x0001027F80FEFF00", "varied", "äöü€"), (None,) * 5])
    assert text.count(values + "2 rows in set\n") == 2, "as text and prepared"
    assert text.count("Query OK, 1 row affected\nRows matched: 1  Changed: 1  Warnings: 0\n") == 2


def test_binary_rows_are_replayed_as_text_rows_are(recording):
    """Numbers with zeros in front, or with as many decimals as their column has."""
    lab = recording
    columns = ["INT(8) ZEROFILL", "MEDIUMINT ZEROFILL", "TINYINT(4) ZEROFILL", "DECIMAL(10,2) ZEROFILL", "FLOAT ZEROFILL", "YEAR", "DOUBLE(10,3)",
               "FLOAT(7,2)", "DOUBLE", "FLOAT", "BIGINT UNSIGNED"]
    lab.ask_root("DROP TABLE IF EXISTS shop.replayed")
    lab.ask_root(f"CREATE TABLE shop.replayed (id INT, {', '.join(f'c{i} {column}' for i, column in enumerate(columns))})")
    lab.ask_root("GRANT SELECT ON shop.replayed TO shop_writer")
    lab.ask_root(f"INSERT INTO shop.replayed VALUES (1{', 0' * len(columns)}), (2, 42, 7, 3, 1.5, 1.5, 1999, 1.5, 2.25, 0.1, 0.1, 7), "
                 "(3, 12345678, 1234, 255, 99999.25, 1e-10, 2155, -1234.5678, 12345.678, 1e300, 3.4e38, 18446744073709551615), "
                 f"(4{', NULL' * len(columns)})")
    mark = lab.audit_mark()
    try:
        with lab.login("writer", schema="shop") as client:
            for sql in ("SELECT * FROM replayed ORDER BY id", "SELECT 1.0/3 AS a, 1e0/3 AS b, -0e0 AS c, 1e15 AS d, 1e16 AS e, CAST(0.1 AS FLOAT) AS f"):
                client.query(sql)
                client.execute(client.prepare(sql)[0])
    finally:
        lab.ask_root("DROP TABLE shop.replayed")
    _, text = replay_of(lab, mark)
    tables = re.findall(r"(?:^[+|].*\n)+", text, re.MULTILINE)
    assert len(tables) == 4 and "00000042" in tables[0] and "0000" in tables[0].splitlines()[3]
    assert tables[0] == tables[1] and tables[2] == tables[3]


# What a command line client prints of answers, and a replay too.
PRINTED = re.compile(r"^(\+[-+]*\+|\|.*\||\d+ rows? in set|Empty set|Query OK, .*|Rows matched: .*|Records: .*|ERROR \d+ \(\w+\)).*$")

CLIENT_SCRIPT = """SELECT * FROM driver_rows ORDER BY id;
SELECT a.id, a.label, b.label AS other, a.half FROM driver_rows a JOIN driver_rows b ON b.id < 3 ORDER BY a.id, b.id;
SELECT REPEAT('long', 500000) AS wide, NULL AS nothing, -1.5 AS number, 'äöü€' AS some_letters;
SELECT * FROM not_there;
CALL driver_results(3);
UPDATE driver_unique SET small = 77 WHERE id = 2;
UPDATE driver_unique SET small = 2 WHERE id = 2;
INSERT INTO driver_unique (id, name) VALUES (1, 'again');
SELECT 1 FROM driver_rows WHERE 0;
DO 1;
SELECT COUNT(*), MAX(label), 'x' IS NULL, 18446744073709551615, 0x00FF AS b FROM driver_rows;
"""


def printed(text):
    """Without what differs: times, the line of the script, how wide the frame of a very long value is."""
    lines = (re.sub(r" \(\d+\.\d+ sec\)$", "", line) for line in text.splitlines())
    return [re.sub(r" at line \d+|-{1000,}| {1000,}", "", line) for line in lines if PRINTED.match(line)]


def test_a_replay_prints_what_the_command_line_client_printed(recording, kind):
    """Thirty thousand rows and a value of two megabytes among it."""
    lab = recording
    mark = lab.audit_mark()
    verify = ["--ssl-verify-server-cert"] if kind == "mariadb" else ["--ssl-mode=VERIFY_IDENTITY"]
    client = [lab.values["LAB_CLIENT"], "--no-defaults", "--host=127.0.0.1", f"--port={lab.port}", "--protocol=tcp", "--user=shop", f"--ssl-ca={lab.ca}",
              *verify, "--default-character-set=utf8mb4", "--max-allowed-packet=64M", "--force", "--table", "--binary-as-hex", "--unbuffered", "-vvv", "shop"]
    done = subprocess.run(client, input=CLIENT_SCRIPT.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=300,
                          env={**os.environ, "MYSQL_PWD": lab.token("writer")})
    seen = printed(done.stdout.decode())
    assert len(seen) > 40_000, seen[-5:]
    shown = printed(replay_of(lab, mark)[1])[-len(seen):]  # before it, what the client asks by itself
    at = next((i for i, (one, other) in enumerate(zip(seen, shown)) if one != other), None)
    assert at is None and len(seen) == len(shown), (at, len(seen), len(shown), [line[:200] for line in seen[at:at + 2]], [line[:200] for line in shown[at:at + 2]])


def test_a_search_finds_a_statement_by_what_it_did(lab, tmp_path):
    lab.load_fixture()
    mark = lab.audit_mark()
    with lab.login("writer", schema="shop") as client:
        client.query("UPDATE driver_unique SET small = 3 WHERE id = 1")
        client.query("SELECT 1")
    with lab.login("reporter", schema="shop") as client:
        with pytest.raises(ServerError):
            client.query("DELETE FROM driver_unique")
    lab.wait_for_record(mark, type="session_end", account="reporter")
    log = log_since(lab, mark, tmp_path / "log")

    def search(*filters):
        return [json.loads(line) for line in sallyport("audit", "search", "--dir", log, "--json", *filters).splitlines()]
    assert [one["record"]["text"] for one in search("--kind", "update")] == ["UPDATE driver_unique SET small = 3 WHERE id = 1"]
    assert [one["record"]["text"] for one in search("--status", "error")] == ["DELETE FROM driver_unique"]
    assert {one["who"]["account"] for one in search("--text", "driver_unique")} == {"writer", "reporter"}
    assert len(search("--account", "writer", "--type", "command")) >= 2
