"""Answers whose shape depends on what else goes on in the session."""

import struct

import pytest

from mysql_wire import STMT_PREPARE

STMT_EXECUTE = 0x17
PROCEDURE = """CREATE PROCEDURE shop.selects_beside_a_cursor()
BEGIN
  DECLARE n INT;
  DECLARE c CURSOR FOR SELECT 1 UNION SELECT 2;
  OPEN c;
  FETCH c INTO n;
  SELECT n, 'inside';
  FETCH c INTO n;
  SELECT n, 'inside';
  CLOSE c;
END"""


@pytest.fixture
def procedure(lab):
    lab.ask_root("DROP PROCEDURE IF EXISTS shop.selects_beside_a_cursor")
    lab.ask_root(PROCEDURE)
    yield lab
    lab.ask_root("DROP PROCEDURE shop.selects_beside_a_cursor")


@pytest.mark.parametrize("protocol", ["text", "binary"])
def test_results_while_a_cursor_of_the_routine_is_open(procedure, protocol):
    """The server then says in their flags that a cursor exists, which is none of the client's."""
    with procedure.login("reporter", schema="shop") as session:
        call = "CALL selects_beside_a_cursor()"
        if protocol == "text":
            assert session.query(call) == [[b"1", b"inside"]]
            assert session.read_result() == [[b"2", b"inside"]]
            assert session.read_result() == []
        else:
            session.command(STMT_PREPARE, call.encode())
            statement, = struct.unpack_from("<xI", session.receive_ok())
            session.command(STMT_EXECUTE, struct.pack("<IBI", statement, 0, 1))
            for number in (1, 2):
                assert session.receive_ok() == b"\x02"
                while not session.ends(session.receive_ok()):
                    pass
                assert session.receive_ok() == b"\0\0" + struct.pack("<I", number) + b"\6inside"
                assert session.ends(session.receive_ok())
            assert session.receive_ok()[:1] == b"\0"
        assert session.query("SELECT 'after'") == [[b"after"]]
