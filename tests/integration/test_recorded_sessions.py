"""What the audit log tells is what happened: a script made of it does the same to a server, and a replay shows what the client got."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from laboratory import REPOSITORY
from mysql_wire import CLIENT_DEPRECATE_EOF, CLIENT_MULTI_STATEMENTS, USUAL, ServerError
from test_drivers import difference, run, through_gateway

BINARY = os.environ.get("SALLYPORT_BINARY", REPOSITORY / "build" / "release" / "bin" / "sallyport")
TABLES = ["driver_types", "driver_values", "driver_unique", "driver_child", "driver_parent", "driver_rows", "driver_large"]


def sallyport(*arguments):
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def log_since(lab, mark, directory):
    """A log of the records since the mark."""
    directory.mkdir()
    lines = [json.dumps(dict(sorted(one.items())), ensure_ascii=False, separators=(",", ":")) for one in lab.audit(mark)]
    (directory / f"records-{0:020}.jsonl").write_text("".join(line + "\n" for line in lines))
    return directory


def contents(lab):
    checksums = lab.ask_root("CHECKSUM TABLE " + ", ".join(f"shop.{table}" for table in TABLES))
    rows = {table: sorted(map(repr, lab.ask_root(f"SELECT * FROM shop.{table}"))) for table in TABLES if table != "driver_large"}
    counters = lab.ask_root("SELECT table_name, auto_increment FROM information_schema.tables WHERE table_schema = 'shop' ORDER BY 1")
    return {"checksums": [list(one) for one in checksums], "rows": rows, "counters": [list(one) for one in counters]}


def run_script(lab, script):
    password = (lab.directory / "secrets" / "sallyport_shared").read_text().strip()
    with open(script, "rb") as text:
        subprocess.run([lab.values["LAB_CLIENT"], "--no-defaults", "--binary-mode", "--comments", "--force", "--user=sallyport_shared",
                        f"--socket={lab.values['LAB_SERVER_SOCKET']}", "--default-character-set=utf8mb4", "--max-allowed-packet=64M",
                        "--init-command=SET ROLE shop_writer"],
                       stdin=text, capture_output=True, check=False, timeout=300, env={**os.environ, "MYSQL_PWD": password})


@pytest.mark.parametrize("name", ["mysql client", "mysqlclient", "node mysql2", "node mariadb", "php mysqli"])
def test_a_script_of_the_log_yields_the_same_database(lab, name, tmp_path):
    mark = lab.audit_mark()
    seen = run(lab, name, tmp_path, **through_gateway(lab))
    assert "refused" not in seen[0], seen[0]
    expected = contents(lab)
    log = log_since(lab, mark, tmp_path / "log")
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    sallyport("sessions", "export", "--dir", log, "--format", "sql", "--split", scripts)
    lab.load_fixture()
    assert contents(lab) != expected, "the driver's script changes something"
    for script in sorted(scripts.iterdir()):
        run_script(lab, script)
    found = contents(lab)
    assert found == expected, difference(expected, found)


def test_a_replay_shows_each_statement_and_how_it_ended(lab, tmp_path):
    """Whether or not answers are recorded."""
    lab.load_fixture()
    mark = lab.audit_mark()
    with lab.login("writer", schema="shop", capabilities=USUAL | CLIENT_DEPRECATE_EOF | CLIENT_MULTI_STATEMENTS) as client:
        statement, _, _ = client.prepare("SELECT id, name FROM driver_unique WHERE id = ? OR name = ?")
        assert len(client.execute(statement, ["1", "two"])) == 2
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
    assert text.index("with '1', 'two'") < text.index("not_there") < text.index("-- end: client_quit")


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
    assert Path(log).is_dir()
