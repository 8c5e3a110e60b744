"""What connectors do beyond the common script of test_drivers.py: bulk executions, cursors, cached definitions.

MariaDB Connector/C prints the same through the gateway as it does at the server; so does node's mariadb.
"""

import json
import os
import subprocess

import pytest

from laboratory import REPOSITORY
from test_drivers import CACHE, DRIVERS

ROUTINES = {
    "PROCEDURE cursors_amid": """() SQL SECURITY INVOKER BEGIN
        DECLARE v INT; DECLARE c CURSOR FOR SELECT 1 UNION SELECT 2;
        OPEN c; SELECT 11; SELECT 12, 'x'; FETCH c INTO v; SELECT v; CLOSE c; SELECT 14; END""",
    "FUNCTION cursor_within": """(a INT) RETURNS INT DETERMINISTIC READS SQL DATA SQL SECURITY INVOKER BEGIN
        DECLARE v INT; DECLARE c CURSOR FOR SELECT 1 UNION SELECT 2;
        OPEN c; FETCH c INTO v; RETURN a + v; END"""}


@pytest.fixture
def routines(lab):
    for name, text in ROUTINES.items():
        kind, plain = name.split()
        lab.ask_root(f"DROP {kind} IF EXISTS shop.{plain}")
        lab.ask_root(f"CREATE {kind} shop.{plain}{text}")
    yield
    for name in ROUTINES:
        kind, plain = name.split()
        lab.ask_root(f"DROP {kind} shop.{plain}")


@pytest.fixture(scope="module")
def connector_c(tmp_path_factory):
    program = tmp_path_factory.mktemp("connector") / "connector_c"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libmariadb"], capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-o", program, DRIVERS / "connector_c.c", *flags], check=True)
    return program


def environment(lab, through_gateway):
    common = {"DRIVER_DATABASE": "shop", "DRIVER_NODE_PACKAGES": str(CACHE / "node")}
    if not through_gateway:
        return common | {"DRIVER_SOCKET": lab.values["LAB_SERVER_SOCKET"], "DRIVER_USER": "root", "DRIVER_PASSWORD": ""}
    return common | {"DRIVER_HOST": "127.0.0.1", "DRIVER_PORT": str(lab.port), "DRIVER_CA": lab.ca, "DRIVER_USER": "shop.writer",
                     "DRIVER_PASSWORD": lab.token("writer")}


def run(arguments, variables):
    done = subprocess.run(arguments, capture_output=True, check=False, timeout=60, env=os.environ | variables)
    output = done.stdout.decode(errors="backslashreplace")
    assert done.returncode == 0, output + done.stderr.decode(errors="replace")
    return output


@pytest.mark.parametrize("what", ["bulk", "cursor", "cached"])
def test_connector_c_sees_what_it_sees_at_the_server(lab, kind, connector_c, routines, what):
    if what == "bulk" and kind == "mysql":
        pytest.skip("MariaDB's")
    mark = lab.audit_mark()
    direct = run([connector_c, what], environment(lab, False))
    through = run([connector_c, what], environment(lab, True))
    assert through == direct
    assert through.count("\n") > 15
    commands = [one for one in lab.audit(mark) if one["type"] == "command"]
    if what == "bulk":
        bulks = [one for one in commands if one["command"] == "stmt_bulk_execute"]
        assert bulks[0]["parameter_rows"] == [[1, "one"], [2, ""], [None, {"default": True}], [4, None], [5, {"ignore": True}]]
        assert len(bulks) == 8
    if what == "cursor":
        assert sum(one["command"] == "stmt_fetch" for one in commands) >= 5
        assert sum(one["command"] == "stmt_send_long_data" for one in commands) == 6


def test_node_mariadb_batches(lab, kind):
    """In one bulk execution; with a result for each row, which this server has not in bulk, by single executions."""
    if kind == "mysql":
        pytest.skip("MariaDB's")
    mark = lab.audit_mark()
    outputs = [json.loads(run(["node", DRIVERS / "node_batch.js"], environment(lab, through))) for through in (False, True)]
    assert outputs[0] == outputs[1]
    assert [row["name"] for row in outputs[1]["rows"]] == ["one", None, "three", "four", "five", "six"]
    commands = [one for one in lab.audit(mark) if one["type"] == "command"]
    bulks = [one for one in commands if one["command"] == "stmt_bulk_execute"]
    assert [one["parameter_rows"] for one in bulks] == [[[1, "one"], [2, None], [3, "three"]], [[1, "again"]]]
    assert sum(one["command"] == "stmt_execute" and len(one.get("parameters", [])) == 2 for one in commands) == 3
