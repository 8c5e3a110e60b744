"""A dump made through the gateway by the server's own tool, and restored through the gateway, is the same data."""

import os
import subprocess
from pathlib import Path

import pytest

COPY = "shop_restored"
TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop' AND table_type = 'BASE TABLE' ORDER BY 1"
# Who dumps routines must see their text; who restores them names their definer.
DEFINER_GRANTS = {"mariadb": ["GRANT SET USER ON *.* TO shop_writer", "GRANT SELECT ON mysql.proc TO shop_writer"],
                  "mysql": ["GRANT SET_ANY_DEFINER, ALLOW_NONEXISTENT_DEFINER, SYSTEM_USER, SHOW_ROUTINE ON *.* TO shop_writer"]}


@pytest.fixture
def sample(lab):
    """The sample shop, the drivers' tables, and one table of values that are hard to write down."""
    lab.load_fixture()
    lab.root.select_db("shop")
    every_byte = bytes(range(256)).hex()
    for statement in (
            f"DROP DATABASE IF EXISTS {COPY}", f"CREATE DATABASE {COPY} CHARACTER SET utf8mb4",
            f"GRANT ALL PRIVILEGES ON {COPY}.* TO shop_writer", *DEFINER_GRANTS[lab.kind], "DROP TABLE IF EXISTS shop.dump_values",
            "CREATE TABLE shop.dump_values (id INT PRIMARY KEY, raw LONGBLOB, said LONGTEXT CHARACTER SET utf8mb4, number DOUBLE)",
            f"INSERT INTO shop.dump_values VALUES (1, x'{every_byte}', 'quotes \\' \" ` \\\\ \\n \\0 end', 1e-300),"
            f" (2, NULL, NULL, NULL), (3, '', '', 0), (4, REPEAT(x'{every_byte}', 8000), REPEAT('ünï😀', 10000), -0.1)",
            "INSERT INTO shop.dump_values VALUES " + ", ".join(
                f"({number}, '{number:040}', '{number:032}', {number} / 7)" for number in range(1000, 11000))):
        lab.ask_root(statement)
    yield lab
    for statement in (f"DROP DATABASE {COPY}", "DROP TABLE shop.dump_values",
                      *(grant.replace("GRANT", "REVOKE", 1).replace(" TO ", " FROM ") for grant in DEFINER_GRANTS[lab.kind])):
        lab.ask_root(statement)


def client_options(lab):
    verify = ["--ssl-verify-server-cert"] if lab.kind == "mariadb" else ["--ssl-mode=VERIFY_IDENTITY"]
    return ["--no-defaults", "--host=127.0.0.1", f"--port={lab.port}", "--protocol=tcp", "--user=shop.writer",
            f"--ssl-ca={lab.ca}", *verify, "--default-character-set=utf8mb4"]


def run(lab, command, **options):
    environment = {**os.environ, "MYSQL_PWD": lab.token("writer")}
    done = subprocess.run(list(map(str, command)), env=environment, stderr=subprocess.PIPE, check=False, timeout=300, **options)
    assert done.returncode == 0, done.stderr.decode(errors="replace")


def dump(lab, path, *options):
    if lab.kind == "mariadb":
        program = "mariadb-dump"
    else:
        program = Path(lab.values["LAB_CLIENT"]).parent / "mysqldump"
        options = ("--no-tablespaces", "--set-gtid-purged=OFF", *options)
    with open(path, "wb") as output:
        run(lab, [program, *client_options(lab), *options, "shop"], stdout=output)


@pytest.mark.parametrize("options", [("--routines", "--triggers"), ("--single-transaction", "--hex-blob", "--skip-extended-insert"),
                                     ("--quick", "--complete-insert", "--order-by-primary", "--net-buffer-length=4096")],
                         ids=["usual", "transaction", "ordered"])
def test_a_dump_restores_to_equal_checksums(sample, tmp_path, options):
    lab = sample
    dump(lab, tmp_path / "dump.sql", *options)
    with open(tmp_path / "dump.sql", "rb") as script:
        run(lab, [lab.values["LAB_CLIENT"], *client_options(lab), COPY], stdin=script)
    tables = [row[0] for row in lab.ask_root(TABLES)]
    assert "customers" in tables and "dump_values" in tables
    for table in tables:
        first, copy = lab.ask_root(f"CHECKSUM TABLE shop.`{table}`, {COPY}.`{table}` EXTENDED")
        assert first[1] is not None and first[1] == copy[1], f"{table} differs"
        structures = [lab.ask_root(f"SHOW CREATE TABLE {schema}.`{table}`") for schema in ("shop", COPY)]
        assert structures[0] == structures[1]


def test_a_dump_through_the_gateway_is_the_direct_one(sample, tmp_path):
    lab = sample
    dump(lab, tmp_path / "through.sql", "--skip-dump-date", "--routines")
    program = "mariadb-dump" if lab.kind == "mariadb" else Path(lab.values["LAB_CLIENT"]).parent / "mysqldump"
    options = [] if lab.kind == "mariadb" else ["--no-tablespaces", "--set-gtid-purged=OFF"]
    with open(tmp_path / "direct.sql", "wb") as output:
        run(lab, [program, "--no-defaults", f"--socket={lab.values['LAB_SERVER_SOCKET']}", "--user=root", "--skip-dump-date", "--routines",
                  "--default-character-set=utf8mb4", "--password=", *options, "shop"], stdout=output)

    def lines(name):
        return [line for line in (tmp_path / name).read_bytes().splitlines() if not line.startswith(b"-- Host:")]

    assert lines("through.sql") == lines("direct.sql")
