"""The catalogue of a live server: that it is what the server has, who sees all of it, and how the gateway keeps it."""

import contextlib
import json
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import pymysql
import pytest

from laboratory import REPOSITORY, Laboratory, wait_until

DATABASE = "catalogue_ddl"
RELEASES = {"mariadb": "10.11.19-MariaDB", "mysql": "9.7.4"}

# One statement an entry, as a server takes it and lineage::read_definitions() reads it.
COMMON = (
    "CREATE TABLE parents (id INT NOT NULL, label VARCHAR(20), note TEXT, PRIMARY KEY (id), UNIQUE KEY by_label (label))",
    "CREATE TABLE children (id INT NOT NULL PRIMARY KEY, parent INT, secret VARCHAR(20) NOT NULL, shown VARCHAR(90) GENERATED ALWAYS AS"
    " (CONCAT(secret, 'it''s \\\\ \"q\" \\n')) VIRTUAL, hidden INT INVISIBLE, twice INT AS (hidden + hidden) STORED,"
    " KEY by_parent (parent), CONSTRAINT of_parent FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE SET NULL)",
    "CREATE TABLE strict_children (id INT NOT NULL PRIMARY KEY, parent INT, KEY by_parent (parent),"
    " CONSTRAINT strictly FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE RESTRICT ON UPDATE NO ACTION)",
    "CREATE TABLE `od``d nämes` (`a``b` INT, `ünï` VARCHAR(10))",
    "CREATE FUNCTION reveal(which INT, `od``d` TEXT) RETURNS VARCHAR(99) READS SQL DATA"
    " RETURN CONCAT('a''', (SELECT MAX(secret) FROM children WHERE id = which), '''', \"x\\\"y\\\\\")",
    "CREATE FUNCTION plain() RETURNS INT DETERMINISTIC RETURN 1",
    "CREATE TABLE simple (secret VARCHAR(20))",
    "CREATE PROCEDURE do_it(IN a INT, OUT b INT) BEGIN SELECT id INTO b FROM parents WHERE label = 'x''y'; END",
    "CREATE VIEW of_children AS SELECT c.id AS child, c.secret AS `we``ird`, CONCAT('a''', p.label, '\\\\', \"d\\\"q\") AS texts"
    " FROM children c LEFT JOIN parents p ON p.id = c.parent WHERE NOT c.id = 7",
    "CREATE VIEW over_view AS SELECT `we``ird` AS s, reveal(child, 'x') AS r FROM of_children",
    "CREATE TRIGGER before_child BEFORE INSERT ON children FOR EACH ROW SET NEW.secret = CONCAT(NEW.secret, 'it''s')",
    "CREATE TRIGGER after_child AFTER UPDATE ON children FOR EACH ROW BEGIN UPDATE parents SET note = 'x\\'y' WHERE id = NEW.parent; END",
)
OF_ONE = {
    "mysql": ("CREATE TABLE computed (a INT, b VARCHAR(10), KEY parts (a, (CONCAT(b, 'it''s'))))",),
    "mariadb": ("CREATE SEQUENCE numbers", "CREATE TABLE versioned (a INT, b INT) WITH SYSTEM VERSIONING"),
}
QUERIES = (
    "SELECT * FROM children",
    "SELECT * FROM of_children",
    "SELECT * FROM over_view",
    "SELECT shown, twice, hidden FROM children",
    "SELECT reveal(1, 'x') AS r, plain()",
    "SELECT `a``b`, `ünï` FROM `od``d nämes`",
    "SELECT p.*, (SELECT secret FROM children WHERE parent = p.id LIMIT 1) AS s FROM parents p",
    "SELECT nothing FROM children",
    "SELECT * FROM not_there",
)


@pytest.fixture(name="lab", scope="module")
def fixture_lab(kind, tmp_path_factory):
    with contextlib.closing(Laboratory(tmp_path_factory.mktemp("catalogue") / "lab", kind, template="catalogue.yaml")) as one:
        one.password_file = one.directory / "secrets" / "sallyport_shared"
        one.ask_root(f"CREATE DATABASE {DATABASE}")
        one.ask_root(f"USE {DATABASE}")
        for statement in COMMON + OF_ONE[kind]:
            one.ask_root(statement)
        # Not in the text of definitions, which is read under one sql_mode. (MySQL itself can't open a table with a generated
        # column that has a backslash in a literal once a session has NO_BACKSLASH_ESCAPES.)
        one.ask_root("SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'")
        one.ask_root("""CREATE VIEW other_mode AS SELECT "secret" || 'x\\' AS y FROM "simple" """)
        one.ask_root("""CREATE FUNCTION other_mode() RETURNS TEXT READS SQL DATA RETURN (SELECT MAX("secret") || 'a\\' FROM "simple")""")
        one.ask_root("SET sql_mode = DEFAULT")
        yield one


def make_user(lab, name, *grants):
    lab.ask_root(f"CREATE USER {name}@'%' IDENTIFIED BY '{lab.password_file.read_text().strip()}'")
    for grant in grants:
        lab.ask_root(f"{grant} TO {name}@'%'")


def run_dump(*arguments, queries=()):
    """A program that is built beside the gateway, by the target of its name."""
    binary = Path(os.environ.get("SALLYPORT_BINARY", REPOSITORY / "build" / "release" / "bin" / "sallyport")).with_name("catalogue_dump")
    assert binary.exists(), f"{binary} is missing: cmake --build --preset release --target catalogue_dump"
    return subprocess.run([str(binary), *map(str, arguments)], input="".join(one + "\n" for one in queries), capture_output=True,
                          text=True, timeout=120, check=False)


def dump(*arguments, queries=()):
    done = run_dump(*arguments, queries=queries)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def live(lab, user, queries=()):
    return dump("live", lab.kind, lab.values["LAB_SERVER_SOCKET"], user, lab.password_file, DATABASE, queries=queries)


def in_database(content, part):
    return {one["name"] + ("()" if part == "routines" else ""): one for one in content[part] if one["schema"] == DATABASE}


@pytest.fixture(name="whole", scope="module")
def fixture_whole(lab):
    """What an account reads that sees everything."""
    make_user(lab, "sees_all", "GRANT SELECT, SHOW VIEW, TRIGGER ON *.*")
    return live(lab, "sees_all", QUERIES)


def test_what_is_read_is_what_the_definitions_say(lab, whole, tmp_path):
    text = tmp_path / "schema.sql"
    text.write_text(";\n".join(one for one in COMMON + OF_ONE[lab.kind]), encoding="utf-8")
    said = dump("definitions", RELEASES[lab.kind], text, DATABASE, queries=QUERIES)
    tables, expected = in_database(whole, "tables"), in_database(said, "tables")
    assert set(expected) <= set(tables)
    assert set(tables) - set(expected) <= {"numbers", "other_mode"}
    for name, table in expected.items():
        found = tables[name]
        assert found["kind"] == table["kind"], name
        if lab.kind == "mysql" or name != "over_view":  # MariaDB: the account may not execute what it calls
            assert [one["name"] for one in found["columns"]] == [one["name"] for one in table["columns"]], name
        assert found["foreign_keys"] == table["foreign_keys"], name
        assert sorted(found["triggers"], key=str) == sorted(table["triggers"], key=str), name
        if name != "computed":
            assert sorted(found["keys"], key=str) == sorted(table["keys"], key=str), name
        if table["kind"] == "table":
            for member in ("nullable", "invisible"):
                assert [one[member] for one in found["columns"]] == [one[member] for one in table["columns"]], name
            assert [one["generated_from"] is None for one in found["columns"]] == \
                   [one["generated_from"] is None for one in table["columns"]], name
    routines = in_database(whole, "routines")
    for name, routine in in_database(said, "routines").items():
        for member in ("kind", "parameters", "body"):
            assert routines[name][member] == routine[member], name
    for found, expected_one in zip(whole["statements"], said["statements"], strict=True):
        assert found == expected_one
    # Else the comparison would be one of nothings.
    by_text = {one["text"]: one for one in whole["statements"]}
    secret = f"{DATABASE}.children.secret"
    assert secret in by_text[QUERIES[2]]["output"][0]["from"] and secret in by_text[QUERIES[2]]["output"][1]["from"]
    assert secret in by_text[QUERIES[3]]["output"][0]["from"]
    assert all(by_text[one]["certain"] for one in QUERIES[:7]), by_text
    assert not by_text[QUERIES[7]]["certain"] and not by_text[QUERIES[8]]["certain"]


def test_what_only_a_server_knows_is_right(lab, whole):
    tables, routines = in_database(whole, "tables"), in_database(whole, "routines")
    columns = {one["name"]: one for one in tables["children"]["columns"]}
    assert columns["secret"]["type"] == "varchar(20)" and columns["secret"]["collation"].startswith("utf8mb4_")
    assert columns["id"]["type"].startswith("int") and columns["id"]["collation"] == ""
    assert r"""'it\'s \\ "q" \n'""" in columns["shown"]["generated_from"]
    assert routines["other_mode()"]["body"] == """RETURN (SELECT MAX("secret") || 'a\\' FROM "simple")"""
    assert "ANSI_QUOTES" in routines["other_mode()"]["sql_mode"]
    if lab.kind == "mysql":
        (key,) = tables["computed"]["keys"]
        assert key["columns"] == ["a"] and "it\\'s" in key["expressions"][0]
    else:
        assert tables["numbers"]["kind"] == "sequence"
        assert [one["name"] for one in tables["versioned"]["columns"]] == ["a", "b"]
    queries = ("SELECT y FROM other_mode", "SELECT other_mode()", "SELECT TABLE_NAME, TABLE_ROWS FROM information_schema.tables",
               "SELECT User, Host FROM mysql.user", "SELECT * FROM performance_schema.threads", "SELECT * FROM sys.session")
    answers = live(lab, "sees_all", queries)["statements"]
    secret = f"{DATABASE}.simple.secret"
    assert answers[0]["output"][0]["from"] == [secret] and answers[1]["output"][0]["from"] == [secret]
    for answer in answers[:5]:
        assert answer["certain"] and answer["output"], answer
    assert answers[5]["output"], answers[5]  # a view of many: whether all of it can be followed is not this test's question


def test_only_who_sees_everything_has_a_complete_catalogue(lab, whole):
    def content(of):
        """MariaDB shows no columns of a view that calls functions which the account may not execute."""
        tables = {one["schema"] + "." + one["name"]: one for one in of["tables"]}
        return of["schemas"], of["routines"], {name: {**one, "columns": one["columns"] if one["kind"] != "view" else []}
                                              for name, one in tables.items()}

    assert whole["complete"]
    closed = [one for one in whole["tables"] if one["kind"] == "view" and not one["columns"]]
    assert all(one["query"] and (one["schema"] == "sys" or one["name"] == "over_view") for one in closed)
    assert lab.kind == "mariadb" or not closed
    lab.ask_root(f"CREATE USER root_like@'%' IDENTIFIED BY '{lab.password_file.read_text().strip()}'")
    lab.ask_root("GRANT ALL PRIVILEGES ON *.* TO root_like@'%'")
    assert content(live(lab, "root_like")) == content(whole)
    cases = {
        "no_views": ("GRANT SELECT, TRIGGER ON *.*",),
        "no_triggers": ("GRANT SELECT, SHOW VIEW ON *.*",),
        "one_schema": (f"GRANT SELECT, SHOW VIEW, TRIGGER ON {DATABASE}.*",),
        "one_column": (f"GRANT SELECT (id) ON {DATABASE}.children",),
        "nothing": (),
    }
    for name, grants in cases.items():
        make_user(lab, name, *grants)
        found = live(lab, name)
        assert not found["complete"], name
        assert content(found) != content(whole), name
    found = in_database(live(lab, "one_column"), "tables")
    assert [one["name"] for one in found["children"]["columns"]] == ["id"]
    found = in_database(live(lab, "no_views"), "tables")
    assert found["of_children"]["kind"] == "view" and found["of_children"]["query"] == ""
    assert all(one["body"] is None for one in live(lab, "nothing")["routines"])
    # By a role that each session has from its login on. MariaDB's SHOW GRANTS does not tell.
    lab.ask_root("CREATE ROLE everything")
    lab.ask_root("GRANT SELECT, SHOW VIEW, TRIGGER ON *.* TO everything")
    make_user(lab, "by_role", "GRANT everything")
    lab.ask_root("SET DEFAULT ROLE everything " + ("TO" if lab.kind == "mysql" else "FOR") + " by_role@'%'")
    found = live(lab, "by_role")
    assert found["complete"] == (lab.kind == "mysql") and content(found) == content(whole)


def test_partial_revokes_make_a_catalogue_incomplete(lab, whole):
    if lab.kind != "mysql":
        pytest.skip("MySQL's only")
    lab.ask_root("SET GLOBAL partial_revokes = ON")
    make_user(lab, "revoked", "GRANT SELECT, SHOW VIEW, TRIGGER ON *.*")
    assert live(lab, "revoked")["complete"]
    lab.ask_root(f"REVOKE SELECT ON {DATABASE}.* FROM revoked@'%'")
    found = live(lab, "revoked")
    assert not found["complete"] and in_database(found, "tables") != in_database(whole, "tables")
    lab.ask_root("DROP USER revoked@'%'")
    lab.ask_root("SET GLOBAL partial_revokes = OFF")


def test_the_servers_own_settings_change_nothing(lab, whole):
    """Of a server that quotes, reads and writes in another way, the catalogue is the same."""
    settings = {"sql_mode": "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,HIGH_NOT_PRECEDENCE,IGNORE_SPACE", "sql_select_limit": 1,
                "character_set_server": "latin1", "character_set_client": "latin1", "character_set_results": "latin1",
                "sql_quote_show_create": 0}
    before = {name: lab.ask_root(f"SELECT @@GLOBAL.{name}")[0][0] for name in settings}
    try:
        for name, value in settings.items():
            lab.ask_root(f"SET GLOBAL {name} = {value!r}")
        found = live(lab, "sees_all", QUERIES)
    finally:
        for name, value in before.items():
            lab.ask_root(f"SET GLOBAL {name} = {value!r}")
    for part in ("schemas", "tables", "routines", "statements", "complete"):
        assert found[part] == whole[part], part


def test_texts_are_read_as_the_server_reads_them(lab, whole):
    """Of a routine made in GBK, a character of which ends in a backslash; and of routines in another grammar."""
    del whole
    with pymysql.connect(unix_socket=lab.values["LAB_SERVER_SOCKET"], user="root", database=DATABASE, charset="gbk") as session:
        with session.cursor() as cursor:
            cursor.execute("CREATE FUNCTION in_gbk() RETURNS TEXT READS SQL DATA RETURN CONCAT('\u7e17', (SELECT MAX(secret) FROM simple), 'x')")
            cursor.execute("CREATE TRIGGER gbk_trigger BEFORE INSERT ON simple FOR EACH ROW SET NEW.secret = '\u7e17'")
            if lab.kind == "mariadb":
                cursor.execute("SET sql_mode = ORACLE")
                cursor.execute("CREATE FUNCTION in_oracle RETURN INT AS BEGIN RETURN 1; END")
                cursor.execute("CREATE PACKAGE in_package AS FUNCTION f RETURN INT; END")
                cursor.execute("CREATE PACKAGE BODY in_package AS FUNCTION f RETURN INT AS BEGIN RETURN 1; END; END")
    try:
        found = live(lab, "sees_all", ("SELECT in_gbk()", "SELECT in_oracle()", "SELECT in_package.f()"))
    finally:
        lab.ask_root(f"DROP TRIGGER {DATABASE}.gbk_trigger")
        lab.ask_root(f"DROP FUNCTION {DATABASE}.in_gbk")
        if lab.kind == "mariadb":
            lab.ask_root(f"DROP FUNCTION {DATABASE}.in_oracle")
            lab.ask_root("SET sql_mode = ORACLE")
            lab.ask_root(f"DROP PACKAGE {DATABASE}.in_package")
            lab.ask_root("SET sql_mode = DEFAULT")
    routines = in_database(found, "routines")
    assert routines["in_gbk()"]["body"] == "RETURN CONCAT('\u7e17', (SELECT MAX(secret) FROM simple), 'x')"
    (trigger,) = in_database(found, "tables")["simple"]["triggers"]
    assert trigger["body"] == "SET NEW.secret = '\u7e17'"
    assert found["statements"][0]["certain"] and found["statements"][0]["output"][0]["from"] == [f"{DATABASE}.simple.secret"]
    assert not found["statements"][1]["certain"] and not found["statements"][2]["certain"]
    if lab.kind == "mariadb":
        assert routines["in_oracle()"]["body"] is None
    assert "in_package()" not in routines


def test_schemas_that_change_while_they_are_read(lab, whole):
    """Either all of it is of one piece, or the failure says why there is nothing."""
    stop = threading.Event()

    def change():
        with pymysql.connect(unix_socket=lab.values["LAB_SERVER_SOCKET"], user="root", database=DATABASE, autocommit=True) as session:
            with session.cursor() as cursor:
                while not stop.is_set():
                    cursor.execute("CREATE TABLE restless (a INT PRIMARY KEY, b INT, FOREIGN KEY (b) REFERENCES restless (a))")
                    cursor.execute("CREATE VIEW restless_view AS SELECT * FROM restless")
                    cursor.execute("CREATE TRIGGER restless_trigger BEFORE INSERT ON restless FOR EACH ROW SET NEW.b = 1")
                    cursor.execute("CREATE FUNCTION restless(p INT) RETURNS INT DETERMINISTIC RETURN p")
                    cursor.execute("DROP FUNCTION restless")
                    cursor.execute("DROP VIEW restless_view")
                    cursor.execute("DROP TABLE restless")

    thread = threading.Thread(target=change)
    thread.start()
    outcomes = []
    try:
        for _ in range(12):
            outcomes.append(run_dump("live", lab.kind, lab.values["LAB_SERVER_SOCKET"], "sees_all", lab.password_file, DATABASE))
    finally:
        stop.set()
        thread.join()
    for done in outcomes:
        if done.returncode == 0:
            tables = in_database(json.loads(done.stdout), "tables")
            assert {name for name in tables if not name.startswith("restless")} == set(in_database(whole, "tables"))
        else:
            assert "the schemas change while they are read" in done.stderr, done.stderr
    assert any(done.returncode == 0 for done in outcomes)


# What the gateway makes of it.

def catalogues(lab):
    return {one["connection"]: one for one in json.loads(lab.admin("/catalogues")[1])["catalogues"]}


def metric(lab, name, connection):
    return lab.metrics().get(f'sallyport_catalogue_{name}{{connection="{connection}"}}')


def log_lines(lab, text):
    lines = [json.loads(line) for line in lab.gateway_log().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == text]


@contextlib.contextmanager
def way_to_server(lab, port):
    """The server can be reached by this port, too, for as long as the block lasts."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", port))
    listener.settimeout(0.1)
    open_sockets = []

    def pump(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve():
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", int(lab.values["LAB_SERVER_PORT"])))
                open_sockets.extend((client, server))
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for one in (listener, *open_sockets):
            one.close()


def test_each_connection_that_is_to_have_one_has_one(lab, whole):
    del whole
    make_user(lab, "sees_part", f"GRANT SELECT ON {DATABASE}.*")
    wait_until(lambda: catalogues(lab)["whole"]["version"] and catalogues(lab)["part"]["version"], 90, "two catalogues")
    # What other tests have left in the server, or taken away, is found within the interval.
    now = live(lab, "sees_all")
    parts = ("schemas", "tables", "routines")
    wait_until(lambda: all(catalogues(lab)["whole"][part] == len(now[part]) for part in parts), 30, "the newest catalogue")
    known = catalogues(lab)
    assert set(known) == {"whole", "part", "late"}
    assert known["whole"]["complete"] and not known["part"]["complete"]
    assert known["whole"]["version"] != known["part"]["version"]
    assert known["whole"]["columns"] == sum(len(one["columns"]) for one in now["tables"])
    assert known["part"]["tables"] < known["whole"]["tables"]
    # The accounts were not there when the gateway began.
    failed = [one["cause"] for one in log_lines(lab, "the catalogue can't be read") if one["connection"] == "whole"]
    again = [one for one in log_lines(lab, "the catalogue is read again") if one["connection"] == "whole"]
    assert "sees_all" in failed[0] and known["whole"]["failures"] >= len(failed) == len(again)
    password = lab.password_file.read_text().strip()
    assert password not in lab.gateway_log() and password not in lab.admin("/catalogues")[1]


def settled(lab):
    """The version of the catalogue once it stays."""
    def same_twice():
        before = metric(lab, "version", "whole")
        time.sleep(3)
        return before if metric(lab, "version", "whole") == before and before else None
    return wait_until(same_twice, 60, "a catalogue that stays")


def test_a_catalogue_that_stays_the_same_keeps_its_version(lab):
    version = settled(lab)
    ages = []
    deadline = time.monotonic() + 7
    while time.monotonic() < deadline:
        ages.append(metric(lab, "age_seconds", "whole"))
        time.sleep(0.1)
    assert sum(later < earlier for earlier, later in zip(ages, ages[1:], strict=False)) >= 2, "it was read several times"
    assert max(ages) < 5
    assert metric(lab, "version", "whole") == version
    assert metric(lab, "refresh_seconds", "whole") > 0


def test_what_is_made_beside_the_gateway_is_seen_within_the_interval(lab):
    version = settled(lab)
    tables = catalogues(lab)["whole"]["tables"]
    lab.ask_root(f"CREATE TABLE {DATABASE}.new_one (a INT)")
    wait_until(lambda: catalogues(lab)["whole"]["tables"] == tables + 1, 5, "the new table")
    newer = metric(lab, "version", "whole")
    assert newer > version
    lab.ask_root(f"ALTER TABLE {DATABASE}.new_one MODIFY a BIGINT")
    wait_until(lambda: metric(lab, "version", "whole") > newer, 5, "the column's new type")
    newer = metric(lab, "version", "whole")
    lab.ask_root(f"DROP TABLE {DATABASE}.new_one")
    wait_until(lambda: catalogues(lab)["whole"]["tables"] == tables, 5, "its end")
    assert metric(lab, "version", "whole") > newer


def test_a_server_that_comes_up_later_and_goes_again(lab, whole):
    del whole
    failures = metric(lab, "refresh_failures_total", "late")
    assert metric(lab, "version", "late") == 0 and metric(lab, "age_seconds", "late") is None
    wait_until(lambda: metric(lab, "refresh_failures_total", "late") > failures, 10, "another attempt")
    # First the replica alone; then the primary, which is preferred.
    with way_to_server(lab, int(lab.values["LAB_SPARE_PORT_5"])):
        wait_until(lambda: metric(lab, "version", "late") > 0, 10, "the catalogue")
        assert catalogues(lab)["late"]["server"] == "copy"
        with way_to_server(lab, int(lab.values["LAB_SPARE_PORT_4"])):
            wait_until(lambda: catalogues(lab)["late"]["server"] == "main", 20, "the primary")
    version = metric(lab, "version", "late")
    failures = metric(lab, "refresh_failures_total", "late")
    wait_until(lambda: metric(lab, "refresh_failures_total", "late") > failures, 10, "a failure")
    wait_until(lambda: metric(lab, "age_seconds", "late") > 4, 10, "it to grow old")
    assert metric(lab, "version", "late") == version
    assert len([one for one in log_lines(lab, "the catalogue can't be read") if one["connection"] == "late"]) == 2


def test_a_server_that_answers_nothing_is_given_up(lab):
    """Once the timeout has passed; the next attempt is made all the same."""
    failures = metric(lab, "refresh_failures_total", "late")
    with socket.create_server(("127.0.0.1", int(lab.values["LAB_SPARE_PORT_4"]))):
        wait_until(lambda: metric(lab, "refresh_failures_total", "late") >= failures + 2, 30, "two attempts")
        assert "copy: " in catalogues(lab)["late"]["last_failure"], "the other server was tried after it"


def test_a_reload_adds_and_removes_catalogues(lab):
    version = settled(lab)
    line = "catalogue: {login: catalogue, refresh: 2s}\n"
    before = lab.reload(lambda text: text.replace("    " + line, "", 1))
    try:
        wait_until(lambda: "whole" not in catalogues(lab), 10, "the catalogue to be gone")
        assert metric(lab, "version", "whole") is None
    finally:
        lab.reload(lambda _: before)
    wait_until(lambda: catalogues(lab).get("whole", {"version": 0})["version"] > version, 10, "another one")
