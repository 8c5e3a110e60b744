"""Literals that may tell of protected columns are nowhere in the audit log, or sealed there, and the statements are there all the same."""

import contextlib
import json
import struct
import sys

import pytest

from laboratory import REPOSITORY, Laboratory, wait_until
from mysql_wire import CLIENT_QUERY_ATTRIBUTES, QUERY, USUAL, ServerError, lenenc
from test_answers_at_rest import make_key, sallyport

sys.path.insert(0, str(REPOSITORY / "tests" / "audit"))
from answer_blob import unsealed  # noqa: E402

VALUE = "721-07-4426"
COLUMN = "shop.customers.ssn"

# What an agent may write a value of the column into.
COMMON = (
    f"SELECT id FROM shop.customers WHERE ssn = '{VALUE}'",
    f"SELECT id /* {VALUE} */ FROM shop.customers WHERE name = 'x' OR ssn LIKE '{VALUE}%' -- {VALUE}",
    f"SELECT NULLIF(ssn, '{VALUE}') FROM shop.customers",
    f"SELECT GREATEST(ssn, '{VALUE}'), '{VALUE}' IN (SELECT ssn FROM shop.customers) FROM shop.customers",
    f"SELECT c.name FROM (SELECT name, ssn AS hidden FROM shop.customers) c WHERE c.hidden = '{VALUE}'",
    f"WITH w AS (SELECT id, ssn AS s FROM shop.customers) SELECT id FROM w ORDER BY s = '{VALUE}'",
    f"SELECT name FROM shop.seen WHERE code = '{VALUE}'",
    f"SELECT ssn FROM shop.customers UNION SELECT '{VALUE}'",
    f"SELECT shop.find_it('{VALUE}')",
    f"CALL shop.enter('{VALUE}')",
    f"INSERT INTO shop.customers (id, ssn) SELECT 1, '{VALUE}'",
    f"INSERT INTO shop.seen (name, code) VALUES ('x', '{VALUE}')",
    f"UPDATE shop.customers SET name = name WHERE ssn = CONCAT('{VALUE}', '')",
    f"UPDATE shop.customers SET id = '{VALUE}x' WHERE ssn <> '{VALUE}'",
    f"DELETE FROM shop.orders WHERE customer_id = (SELECT id FROM shop.customers WHERE ssn = '{VALUE}')",
    "UPDATE shop.orders SET customer_id = (SELECT ssn FROM shop.customers LIMIT 1)",
    f"SET @v = '{VALUE}'",
    f"SELECT '{VALUE}' INTO @v",
    f"PREPARE s FROM 'SELECT id FROM shop.customers WHERE ssn = ''{VALUE}'''",
    "EXECUTE s",
    f"SELEC '{VALUE}' FROM shop.customers",
    f"SELECT 1 FROM shop.customers WHERE ssn = '{VALUE}' FORM",
    f"SELECT COUNT(*) FROM shop.nowhere WHERE ssn = '{VALUE}'",
    f"EXPLAIN SELECT id FROM shop.customers WHERE ssn = '{VALUE}'",
    f"SELECT name FROM (SELECT name, ssn = '{VALUE}' AS hit FROM shop.customers) t",
    f"WITH w AS (SELECT ssn LIKE '{VALUE}%' AS hit FROM shop.customers) SELECT 1",
    f"SELECT 1 WHERE EXISTS (SELECT ssn = '{VALUE}' FROM shop.customers)",
    f"UPDATE shop.orders o JOIN (SELECT id, ssn = '{VALUE}' AS hit FROM shop.customers) t ON t.id = o.customer_id SET o.customer_id = -1 WHERE 0",
    f"SET SESSION sql_select_limit = 1000 + shop.find_it('{VALUE}')",
    f"CREATE TABLE IF NOT EXISTS shop.customers (id INT, ssn VARCHAR(11) DEFAULT '{VALUE}')",
)
OF_ONE = {
    "mariadb": (
        f"EXECUTE IMMEDIATE 'SELECT id FROM shop.customers WHERE ssn = ''{VALUE}'''",
        f"EXECUTE IMMEDIATE 'SELECT id FROM shop.customers WHERE ssn = ?' USING '{VALUE}'",
        f"BEGIN NOT ATOMIC SELECT id FROM shop.customers WHERE ssn = '{VALUE}'; END",
        f"SET STATEMENT max_statement_time = 5 FOR SELECT id FROM shop.customers WHERE ssn = '{VALUE}'",
        f"SET STATEMENT max_statement_time = 5 FOR UPDATE shop.customers SET ssn = '{VALUE}' WHERE id = -1",
        f"SET STATEMENT max_statement_time = 5 FOR DELETE FROM shop.customers WHERE ssn = '{VALUE}'",
        f"SET STATEMENT max_statement_time = 5 FOR CALL shop.enter('{VALUE}')",
        f"SET STATEMENT max_statement_time = shop.find_it('{VALUE}') FOR SELECT 1",
        f"SET STATEMENT max_statement_time = 5 FOR SET STATEMENT lock_wait_timeout = 1 FOR DELETE FROM shop.customers WHERE ssn = '{VALUE}'",
        f"SET STATEMENT max_statement_time = 5 FOR EXPLAIN UPDATE shop.customers SET ssn = '{VALUE}'",
        f"EXPLAIN SELECT id FROM (SELECT id, ssn = '{VALUE}' AS hit FROM shop.customers) t",
    ),
    "mysql": (
        f"SELECT id FROM shop.customers WHERE ssn = /*!80000 '{VALUE}' */",
        f"SELECT j.a FROM shop.customers, JSON_TABLE(JSON_ARRAY('{VALUE}'), '$[*]' COLUMNS (a TEXT PATH '$')) j WHERE j.a = ssn",
        f"TABLE shop.customers ORDER BY ssn = '{VALUE}' LIMIT 1",
    ),
}
SHOWN = ("SELECT ssn FROM shop.customers WHERE id = 4711", "SELECT name FROM shop.customers WHERE name = 'somebody'", "SELECT 4711")


@pytest.fixture(name="lab", scope="module")
def fixture_lab(kind, tmp_path_factory):
    with contextlib.closing(Laboratory(tmp_path_factory.mktemp("protected") / "lab", kind, template="catalogue.yaml")) as one:
        password = (one.directory / "secrets" / "sallyport_shared").read_text(encoding="utf-8").strip()
        one.ask_root(f"CREATE USER sees_all@'%' IDENTIFIED BY '{password}'")
        one.ask_root("GRANT ALL ON *.* TO sees_all@'%'")
        one.ask_root("CREATE VIEW shop.seen AS SELECT name, ssn AS code FROM shop.customers")
        one.ask_root("CREATE FUNCTION shop.find_it(a TEXT) RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM shop.customers WHERE ssn = a)")
        one.ask_root("CREATE PROCEDURE shop.enter(a TEXT) UPDATE shop.customers SET ssn = a WHERE id = -1")
        one.reload(lambda text: text.replace("    catalogue: {login: catalogue, refresh: 2s}\n",
                                             "    catalogue: {login: catalogue, refresh: 2s}\n"
                                             f"    protected_columns: [{COLUMN}, shop.customers.nss]\n", 1)
                   .replace("  - name: reporter\n", "  - name: reporter\n    answers: all\n", 1))
        wait_until(lambda: "a protected column is not in the catalogue" in one.gateway_log(), 20, "the catalogue to be read")
        yield one


def everything_kept(lab):
    lab.wait_for_log()
    return b"".join(path.read_bytes() for path in lab.audit_directory().iterdir() if path.is_file()) + lab.gateway_log().encode()


def run(client, statement):
    with contextlib.suppress(ServerError):
        client.query(statement)


def test_a_name_that_is_none_is_warned_of(lab):
    lines = [json.loads(line) for line in lab.gateway_log().splitlines() if "a protected column is not" in line]
    assert {line["column"] for line in lines} == {"shop.customers.nss"}


def test_literals_are_nowhere(lab):
    values = [VALUE, VALUE.replace("-", "")] + [row[0] for row in lab.ask_root("SELECT ssn FROM shop.customers")]
    assert len(values) > 5
    for statement in COMMON + OF_ONE[lab.kind]:
        with lab.login(user="whole") as client:
            run(client, statement)
        kept = everything_kept(lab)
        assert not [value for value in values if value.encode() in kept], statement
    records = [json.loads(line) for line in lab.audit_text().splitlines()]
    hidden = [record for record in records if record["type"] == "command" and record.get("redacted")]
    assert len(hidden) >= sum(VALUE in statement for statement in COMMON + OF_ONE[lab.kind])
    assert any(record["text"] == "SELECT `id` FROM `shop`.`customers` WHERE `ssn` = ?" for record in hidden)
    assert all("digest" in record for record in hidden if "kind" in record)


def test_parameters_are_nowhere(lab):
    with lab.login(user="whole") as client:
        statement, *_ = client.prepare("SELECT id FROM shop.customers WHERE ssn = ?")
        client.execute(statement, [VALUE.encode()])
        statement, *_ = client.prepare("INSERT INTO shop.customers (id, ssn) VALUES (?, ?)")
        with contextlib.suppress(ServerError):
            client.execute(statement, [b"1", VALUE.encode()])
    assert VALUE.encode() not in everything_kept(lab)


def test_query_attributes_are_nowhere(lab):
    """Of a statement that meets the column, and of one that is not understood."""
    if lab.kind == "mariadb":
        pytest.skip("MySQL's")
    for statement in (f"SELECT id FROM shop.customers WHERE ssn = '{VALUE}'", "SELEC id FROM shop.customers"):
        with lab.login(user="whole", capabilities=USUAL | CLIENT_QUERY_ATTRIBUTES) as client:
            client.command(QUERY, b"\1\1\0\1" + struct.pack("<H", 253) + lenenc(b"trace") + lenenc(VALUE.encode()) + statement.encode())
            with contextlib.suppress(ServerError):
                client.read_result()
        assert VALUE.encode() not in everything_kept(lab), statement
    assert '"query_attributes":[{"name":"trace","type":253}]' in lab.audit_text()


def test_what_meets_no_literal_is_recorded_as_ever(lab):
    with lab.login(user="whole") as client:
        for statement in SHOWN:
            client.query(statement)
    text = lab.audit_text()
    for statement in SHOWN:
        assert json.dumps(statement) in text, statement


@pytest.fixture(name="sealing", scope="module")
def fixture_sealing(lab, tmp_path_factory):
    """The lab, from now on sealing, the file of its key, the key, and the mark of what was in the log before."""
    file = tmp_path_factory.mktemp("key") / "answers.key"
    key = make_key(file)
    mark = lab.audit_mark()
    lab.reload(lambda text: text.replace(f"    protected_columns: [{COLUMN}", f"    protected_literals: sealed\n    protected_columns: [{COLUMN}", 1)
               .replace('audit: {', f'audit: {{answers_key: {{file: "{file}"}}, ', 1))
    lab.wait_for_record(mark, type="configuration_loaded")
    return lab, file, key, mark


def test_sealed_literals_are_for_the_holders_of_the_key(sealing):
    lab, _, key, mark = sealing
    statements = COMMON + OF_ONE[lab.kind]
    for statement in statements:
        with lab.login(user="whole") as client:
            run(client, statement)
    with lab.login(user="whole") as client:
        statement, *_ = client.prepare("SELECT id FROM shop.customers WHERE ssn = ?")
        client.execute(statement, [VALUE.encode()])
        with pytest.raises(ServerError, match=VALUE):
            client.query(f"UPDATE shop.customers SET id = 'x{VALUE}' WHERE ssn <> '{VALUE}'")
    assert VALUE.encode() not in everything_kept(lab)
    records = [record for record in lab.audit(mark) if "sealed" in record]
    opened = [unsealed(record, [key]) for record in records]
    assert None not in opened
    texts = [record["text"] for record in opened if record["type"] == "command"]
    for statement in statements:
        # What is not understood may hold a secret, and begins neither as a query nor as a change of rows.
        if VALUE in statement and not statement.startswith("SELEC "):
            assert statement in texts
    assert any(record.get("parameters") == [{"type": 253, "value": VALUE}] for record in opened)
    assert any(VALUE in record.get("error", "") for record in opened if record["type"] == "outcome")
    assert any(one["type"] == "outcome" and one.get("answer_recorded", {}).get("bytes") for one in lab.audit(mark))


def test_whoever_has_the_key_finds_and_sees_them(sealing, tmp_path):
    lab, file, key, mark = sealing
    statement = f"SELECT name FROM shop.customers WHERE ssn = '{VALUE}' OR id = 4711"
    with lab.login(user="whole") as client:
        client.query(statement)
    lab.wait_for_log()
    record = next(one for one in reversed(lab.audit(mark)) if one["type"] == "command" and one["command"] == "query")
    session = record["session"]
    at = ("--dir", lab.audit_directory())
    with_key = ("--unseal", "--answers-key", file)
    wrong = tmp_path / "other.key"
    make_key(wrong)
    for command in (("audit", "search", *at, "--session", session, "--text", VALUE), ("sessions", "show", *at, session),
                    ("sessions", "show", *at, session, "--json"), ("sessions", "replay", *at, session, "--speed", "max"),
                    ("sessions", "export", *at, session), ("sessions", "export", *at, session, "--format", "csv"),
                    ("sessions", "list", *at, "--text", VALUE, "--limit", "0")):
        shown = session[:12] if command[1] == "list" else VALUE
        shut = sallyport(*command)
        assert shut.returncode == 0 and shown not in shut.stdout, command
        opened = sallyport(*command, *with_key)
        assert opened.returncode == 0 and shown in opened.stdout and opened.stderr == "", command
        refused = sallyport(*command, "--unseal", "--answers-key", wrong)
        assert refused.returncode == 0 and shown not in refused.stdout and key.id.hex() in refused.stderr, command
    script = sallyport("sessions", "export", *at, session, "--format", "sql", "--output", tmp_path / "script.sql", *with_key)
    assert script.returncode == 0 and f"{statement}\n;" in (tmp_path / "script.sql").read_text()
    assert sallyport("audit", "search", "--config", lab.values["LAB_CONFIG"], "--unseal", "--text", VALUE, "--count").stdout != "0\n"
    keyless = sallyport("audit", "search", *at, "--unseal")
    assert keyless.returncode == 1 and "--unseal takes a key: --answers-key FILE" in keyless.stderr
