"""The ways in: each method with a stock client, the records of a session, schemas and roles."""

import json
import os
import subprocess
import urllib.error

import pymysql
import pytest

from mysql_wire import Client, ServerError
from test_drivers import mysql_client
from test_identity_attacks import es
from forge import claims, token


def run_client(program, port, lab, *arguments, password=None, kind):
    verify = "--ssl-verify-server-cert" if kind == "mariadb" else "--ssl-mode=VERIFY_IDENTITY"
    environment = {name: value for name, value in os.environ.items() if name != "MYSQL_PWD"}
    if password is not None:
        environment["MYSQL_PWD"] = password
    return subprocess.run([program, "--no-defaults", "--protocol=tcp", "--host=127.0.0.1", f"--port={port}", "--user=shop",
                           f"--ssl-ca={lab.ca}", verify, "--batch", "--skip-column-names", *arguments], env=environment, capture_output=True,
                          text=True, check=False, timeout=60)


def mariadb(lab, listener, *arguments, **options):
    return run_client("mariadb", lab.listener_port(listener), lab, *arguments, kind="mariadb", **options)


def mysql(lab, listener, *arguments, **options):
    return run_client(mysql_client()["MYSQL"], lab.listener_port(listener), lab, *arguments, kind="mysql", **options)


QUERY = ["-e", "SELECT COUNT(*) FROM shop.orders"]


@pytest.mark.parametrize("run,listener,arguments", [
    (mariadb, "main", []), (mysql, "main", []), (mariadb, "clear", []), (mysql, "clear", ["--enable-cleartext-plugin"]), (mariadb, "dialog", [])],
    ids=["mariadb", "mysql", "mariadb, clear", "mysql, clear", "mariadb, dialog"])
def test_stock_client_logs_in(lab, run, listener, arguments):
    done = run(lab, listener, *arguments, *QUERY, password=lab.token("reporter"))
    assert done.stdout == "12\n", done.stderr


@pytest.mark.parametrize("listener", ["main", "clear", "dialog"])
def test_pymysql_logs_in(lab, listener):
    connection = pymysql.connect(host="127.0.0.1", port=lab.listener_port(listener), user="shop", password=lab.token("reporter"), ssl_ca=lab.ca,
                                 ssl_verify_cert=True, ssl_verify_identity=True)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM shop.orders")
        assert cursor.fetchall() == ((12,),)


@pytest.mark.parametrize("listener,first", [("main", False), ("openid", False), ("main", True), ("openid", True)])
def test_mysqls_openid_connect_plugin_logs_in(lab, listener, first, tmp_path):
    """The client's plugin sends the token from a file: asked by a switch of the method, or unasked in its first answer."""
    if listener == "main" and not first:
        pytest.skip("this listener asks for the token in the usual way")
    identity = tmp_path / "token"
    identity.write_text(lab.token("reporter"))
    identity.chmod(0o600)
    plugins = mysql_client()["MYSQL_PLUGIN_DIR"]
    arguments = [f"--plugin-dir={plugins}", f"--authentication-openid-connect-client-id-token-file={identity}"]
    if first:
        arguments.append("--default-auth=authentication_openid_connect_client")
    done = mysql(lab, listener, *arguments, *QUERY)
    assert done.stdout == "12\n", done.stderr


@pytest.mark.parametrize("listener", ["main", "clear", "openid", "dialog"])
def test_a_client_without_tls_is_told_so(lab, listener):
    done = subprocess.run(["mariadb", "--no-defaults", "--protocol=tcp", "--host=127.0.0.1", f"--port={lab.listener_port(listener)}", "--user=shop",
                           "--skip-ssl", *QUERY], env={**os.environ, "MYSQL_PWD": "unused"}, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "TLS" in done.stderr and "--ssl" in done.stderr, done.stderr


def test_an_unmodified_token_of_realistic_length(lab):
    text = lab.token("reporter", "--bytes", "8000")
    with lab.login(token=text) as session:
        assert session.query("SELECT 1") == [[b"1"]]


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
def test_algorithms_of_the_real_provider(lab, algorithm):
    lab.login(token=lab.token("reporter", "--alg", algorithm)).close()


def test_roles(lab):
    text = lab.token("writer")
    with lab.login(token=text) as session:
        assert session.query("SELECT CURRENT_ROLE()")[0][0].replace(b"`", b"").startswith(b"shop_writer")
    with lab.login(token=text, user="shop.reader") as session:
        assert session.query("SELECT CURRENT_ROLE()")[0][0].replace(b"`", b"").startswith(b"shop_reader")
        with pytest.raises(ServerError) as denied:
            session.query("DELETE FROM shop.orders WHERE id = 1")
        assert denied.value.code == 1142
        assert session.query("SELECT 'goes on'")
    with lab.login("reporter", user="shop.reporter") as session:
        with pytest.raises(ServerError):
            session.query("INSERT INTO shop.orders (customer_id, product, quantity, amount, placed_at) VALUES (1, 'x', 1, 1, NOW())")


def test_schemas(lab):
    with lab.login() as session:
        assert session.query("SELECT DATABASE()") == [[b"shop"]]
    with lab.login("writer") as session:
        assert session.query("SELECT DATABASE()") == [[b"shop"]]
    with lab.login(schema="information_schema") as session:
        assert session.query("SELECT DATABASE()") == [[b"information_schema"]]
    with pytest.raises(ServerError) as refusal:
        lab.login(schema="not_there")
    assert refusal.value.code in (1044, 1049)


def test_a_backend_by_socket(lab):
    with lab.login(user="by_socket") as session:
        assert session.query("SELECT 1") == [[b"1"]]


@pytest.mark.parametrize("connection,reason", [("misnamed", "backend_unavailable"), ("wrong_password", "backend_login_failed"), ("gone", "backend_unavailable")])
def test_a_backend_that_cannot_be_trusted_or_reached(lab, connection, reason):
    mark = lab.audit_mark()
    with pytest.raises(ServerError) as refusal:
        lab.login(user=connection)
    assert "sallyport_reporter" not in refusal.value.message
    record = lab.wait_for_record(mark, type="login_refused")
    assert record["reason"] in (reason, "backend_login_failed" if connection == "misnamed" else reason)


def test_records_of_a_session(lab):
    mark = lab.audit_mark()
    with lab.login() as session:
        session.query("SELECT id FROM orders WHERE id < 4")
        with pytest.raises(ServerError):
            session.query("SELECT * FROM not_there")
        session.command(1)
    end = lab.wait_for_record(mark, type="session_end")
    records = [one for one in lab.audit(mark) if one["session"] == end["session"]]
    types = ["login_accepted", "session_start", "command", "outcome", "command", "outcome", "command", "outcome", "session_end"]
    assert [one["type"] for one in records] == types  # the last command is the client's farewell
    assert [one["seq"] for one in records] == sorted({one["seq"] for one in records})
    start, first, outcome, failed = records[1], records[2], records[3], records[5]
    assert start["account"] == "reporter" and start["connection"] == "shop"
    assert first["text"] == "SELECT id FROM orders WHERE id < 4"
    assert (outcome["of"], outcome["status"], outcome["rows"]) == (first["seq"], "ok", 3) and outcome["bytes"] > 0
    assert (failed["status"], failed["error_code"], failed["sql_state"]) == ("error", 1146, "42S02")


def test_a_kill_of_ones_own_session_is_not_anothers(lab):
    """The id that the gateway tells is the one by which a client may end its own statement, and no other's."""
    with lab.login("writer") as session, lab.login("writer") as bystander:
        assert session.greeting.connection_id != bystander.greeting.connection_id
        assert bystander.query("SELECT 'undisturbed'")


def test_prepared_parameters_are_recorded(lab):
    mark = lab.audit_mark()
    script = lab.given / "prepared.php"
    script.write_text("""<?php $p = new PDO('mysql:host=127.0.0.1;port='.getenv('PORT'), 'shop', getenv('TOKEN'), [PDO::MYSQL_ATTR_SSL_CA => getenv('CA'),
      PDO::ATTR_EMULATE_PREPARES => false]); $s = $p->prepare('SELECT ? AS a, ? AS b'); $s->execute(['first', null]); echo json_encode($s->fetchAll(PDO::FETCH_NUM));""")
    done = subprocess.run(["php", str(script)], env={**os.environ, "PORT": str(lab.port), "TOKEN": lab.token("reporter"), "CA": lab.ca}, capture_output=True,
                          text=True, check=False)
    assert json.loads(done.stdout) == [["first", None]], done.stderr
    record = lab.wait_for_record(mark, type="command", command="stmt_execute")
    assert "first" in json.dumps(record["parameters"])


def test_the_stock_client_shows_why_the_server_cannot_be_reached(lab):
    done = subprocess.run([lab.values["LAB_CLIENT"], "--no-defaults", "--host=127.0.0.1", f"--port={lab.port}", "--user=gone", f"--ssl-ca={lab.ca}",
                           "--execute=SELECT 1"], env={**os.environ, "MYSQL_PWD": lab.token("reporter")}, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "can't be reached" in done.stderr and "[backend_unavailable]" in done.stderr, done.stderr


def test_each_listener_greets_as_its_server(lab):
    for name in ("main", "clear", "openid", "dialog"):
        with Client(lab.listener_port(name)) as client:
            greeting = client.read_greeting()
            assert ("MariaDB" in greeting.version) == (lab.kind == "mariadb")


def test_admin_endpoints(lab):
    assert lab.admin("/healthz")[0] == 200
    with pytest.raises(urllib.error.HTTPError) as unready:  # one of the tests' issuers isn't there
        lab.admin("/readyz")
    assert unready.value.code == 503 and "away" in unready.value.read().decode()
    status, text = lab.admin("/metrics")
    assert status == 200 and "sallyport" in text
    assert token(es(lab), claims())[:20] not in text
