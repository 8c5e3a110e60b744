"""Eight stock drivers see no difference between the gateway and the server behind it.

Each runs the script of tests/drivers twice under the same database account: directly with that account's password, and
through the gateway with a token as the identity provider issued it. With SALLYPORT_TEST_ENDPOINT=direct both runs are
direct: that proves the script, not the gateway.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from laboratory import REPOSITORY, as_one_says

DRIVERS = REPOSITORY / "tests" / "drivers"
CACHE = Path(os.environ.get("SALLYPORT_CACHE", REPOSITORY / ".cache"))
NAMES = ["mariadb client", "mysql client", "pymysql", "mysqlclient", "node mysql2", "node mariadb", "php pdo", "php mysqli"]
DIRECT_ONLY = os.environ.get("SALLYPORT_TEST_ENDPOINT") == "direct"
TOKEN_BYTES_MIN = 1800
TABLES = ["driver_types", "driver_values", "driver_unique", "driver_child", "driver_parent", "driver_rows", "driver_large"]
DRIVER_SECONDS = 400  # a driver takes 20 s on a quiet machine


def mysql_client():
    done = subprocess.run([str(REPOSITORY / "tools" / "mysql-server")], capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def command(name):
    kind = name.split()[-1]
    if name == "mariadb client":
        return [sys.executable, "-B", "client_driver.py", "mariadb", "mariadb"]
    if name == "mysql client":
        return [sys.executable, "-B", "client_driver.py", mysql_client()["MYSQL"], "mysql"]
    if name.startswith("node"):
        return ["node", "node_driver.js", kind]
    if name.startswith("php"):
        return ["php", "php_driver.php", kind]
    return [sys.executable, "-B", "python_driver.py", kind]


def run(lab, name, tmp_path, **settings):
    lab.load_fixture()
    steps = tmp_path / "steps.json"
    steps.write_bytes(subprocess.run([sys.executable, "-B", "script.py"], cwd=DRIVERS, capture_output=True, check=True).stdout)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MYSQL_")}
    environment |= {"DRIVER_HOST": "127.0.0.1", "DRIVER_CA": lab.ca, "DRIVER_STEPS": str(steps),
                    "DRIVER_NODE_PACKAGES": str(CACHE / "node"), **settings}
    try:
        done = subprocess.run(command(name), cwd=DRIVERS, env=environment, capture_output=True, check=False, timeout=DRIVER_SECONDS)
    except subprocess.TimeoutExpired as expired:
        last = (expired.stdout or b"").splitlines()[-1:]
        pytest.fail(f"{name} hangs; the last it printed: {last[0][:200] if last else None}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines, f"{name} printed nothing; its errors: {done.stderr.decode(errors='replace')[-2000:]}"
    return lines


def direct(lab):
    password = (lab.directory / "secrets" / "sallyport_shared").read_text().strip()
    return {"DRIVER_PORT": lab.values["LAB_SERVER_PORT"], "DRIVER_USER": "sallyport_shared", "DRIVER_PASSWORD": password,
            "DRIVER_INIT": "SET ROLE shop_writer"}


def through_gateway(lab):
    if DIRECT_ONLY:
        return direct(lab)
    token = lab.token("writer")
    assert len(token) >= TOKEN_BYTES_MIN
    return {"DRIVER_PORT": str(lab.port), "DRIVER_USER": "shop", "DRIVER_PASSWORD": token, "DRIVER_DATABASE": "shop"}


def answers_directly(lab, name, tmp_path):
    """What the script sees without a gateway. It is run once for all tests, as it takes long."""
    if name not in lab.direct_answers:
        lab.direct_answers[name] = run(lab, name, tmp_path, **direct(lab))
    return lab.direct_answers[name]


def log_since(lab, mark, directory):
    """A log of the records since the mark."""
    directory.mkdir()
    records = sorted(lab.audit(mark), key=lambda one: one["time"])
    lines = [json.dumps(dict(sorted(one.items())), ensure_ascii=False, separators=(",", ":")) for one in records]
    (directory / f"records-{0:020}.jsonl").write_text("".join(line + "\n" for line in lines))
    return directory


def contents(lab):
    checksums = lab.ask_root("CHECKSUM TABLE " + ", ".join(f"shop.{table}" for table in TABLES))
    rows = {table: sorted(map(repr, lab.ask_root(f"SELECT * FROM shop.{table}"))) for table in TABLES if table != "driver_large"}
    # With the next number of its AUTO_INCREMENT.
    definitions = [lab.ask_root(f"SHOW CREATE TABLE shop.{table}")[0][1] for table in TABLES]
    return {"checksums": [list(one) for one in checksums], "rows": rows, "definitions": definitions}


def recorded_run(lab, name, tmp_path):
    """The script through the gateway, once: what it saw, the log of that, and what the database is then."""
    if name not in lab.recorded_runs:
        mark = lab.audit_mark()
        seen = run(lab, name, tmp_path, **through_gateway(lab))
        lab.recorded_runs[name] = seen, log_since(lab, mark, tmp_path / "log"), contents(lab)
    return lab.recorded_runs[name]


def difference(expected, seen, path=""):
    """Where two printed values differ first, in words; None where they don't."""
    if isinstance(expected, dict) and isinstance(seen, dict):
        pairs = [(f"{path}.{key}", expected.get(key), seen.get(key)) for key in expected | seen]
    elif isinstance(expected, list) and isinstance(seen, list) and len(expected) == len(seen):
        pairs = [(f"{path}[{index}]", *pair) for index, pair in enumerate(zip(expected, seen))]
    else:
        if isinstance(expected, str) and isinstance(seen, str):
            expected, seen = as_one_says(expected), as_one_says(seen)
        return None if expected == seen else f"{path}: {str(expected)[:300]} directly, {str(seen)[:300]} through the gateway"
    return next(filter(None, (difference(one, other, place) for place, one, other in pairs)), None)


def assert_equal_steps(expected, seen):
    """Says on one line what differs, as the summary of all tests has one line of each."""
    differences = [f"{one.get('id', 'login')}{difference(one, other)}" for one, other in zip(expected, seen) if difference(one, other)]
    assert not differences, f"{len(differences)} of {len(expected)} steps differ: " + " | ".join(differences[:12])
    assert len(seen) == len(expected)


@pytest.mark.parametrize("name", NAMES)
def test_answers_equal_the_direct_connections(lab, name, tmp_path):
    expected = answers_directly(lab, name, tmp_path)
    assert "refused" not in expected[0], f"the direct login fails: {expected[0]}"
    seen = run(lab, name, tmp_path, **direct(lab)) if DIRECT_ONLY else recorded_run(lab, name, tmp_path)[0]
    assert "refused" not in seen[0], f"the login through the gateway fails: {seen[0]}"
    assert_equal_steps(expected, seen)


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_password_is_refused(lab, name, tmp_path):
    settings = through_gateway(lab) | {"DRIVER_PASSWORD": "not-a-token"}
    first = run(lab, name, tmp_path, **settings)[0]
    assert "refused" in first and "1045" in json.dumps(first)
