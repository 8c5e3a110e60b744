"""Texts that the server keeps or makes itself: what PREPARE and EXECUTE IMMEDIATE run is read like a statement that is sent, what was read
stays so, and no statement in whatever guise changes the database login."""

import time

import pytest

from mysql_wire import STMT_PREPARE, ServerError

WRITE = "INSERT INTO customers (id, name, email, country) VALUES (990001, 'x', 'x', 'XX')"


def refused(session, sql):
    with pytest.raises(ServerError) as error:
        session.query(sql)
    return error.value


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def guises(lab, text):
    """Ways to have the server run a text: lists of statements, of which the last one is to be refused."""
    found = [[text], [f"PREPARE s FROM {quoted(text)}"], [f"SET @a = {quoted(text)}", "PREPARE s FROM @a"],
             [f"SET @`b c` = 0x{text.encode().hex()}", "PREPARE s FROM @`b c`"],
             [f"SELECT CONCAT({quoted(text[:4])}, {quoted(text[4:])}) INTO @a", "PREPARE s FROM @a"],
             [f"/*!50000 {text} */"], [f"PREPARE s FROM {quoted('/*!50000 ' + text + ' */')}"]]
    if lab.kind == "mariadb":
        found += [[f"EXECUTE IMMEDIATE {quoted(text)}"], [f"SET @a = {quoted(text)}", "EXECUTE IMMEDIATE @a"],
                  [f"SET @a = {quoted(text[:4])}", f"EXECUTE IMMEDIATE CONCAT(@a, {quoted(text[4:])})"],
                  [f"EXECUTE IMMEDIATE 0x{text.encode().hex()}"], [f"BEGIN NOT ATOMIC {text}; END"],
                  [f"BEGIN NOT ATOMIC EXECUTE IMMEDIATE {quoted(text)}; END"],
                  [f"EXECUTE IMMEDIATE {quoted('BEGIN NOT ATOMIC EXECUTE IMMEDIATE ' + quoted(text) + '; END')}"],
                  [f"SET STATEMENT max_statement_time = 9 FOR EXECUTE IMMEDIATE {quoted(text)}"]]
    return found


def changes(lab):
    both = ["GRANT PROXY ON sallyport_shared TO other", "ALTER USER ' sallyport_shared '@'%' ACCOUNT LOCK", "SET PASSWORD FOR sallyport_shared@'%' = 'x'", "DROP USER sallyport_shared", "GRANT shop_writer TO CURRENT_USER()",
            "ALTER USER CURRENT_USER() ACCOUNT LOCK", "RENAME USER sallyport_shared@'%' TO other"]
    if lab.kind == "mariadb":
        return [*both, "CREATE OR REPLACE USER sallyport_shared@'%' IDENTIFIED BY 'x'", "SET PASSWORD = PASSWORD('x')", "SET DEFAULT ROLE shop_writer", "SET @x = 1, PASSWORD = PASSWORD('')"]
    return [*both, "SET PASSWORD = 'x'", "SET PASSWORD TO RANDOM", "ALTER USER USER() IDENTIFIED BY 'x'",
            "SET DEFAULT ROLE shop_writer TO sallyport_shared"]


def test_no_guise_of_a_change_of_the_login_reaches_the_server(lab):
    before = lab.ask_root("SHOW CREATE USER sallyport_shared@'%'"), lab.ask_root("SHOW GRANTS FOR sallyport_shared@'%'")
    mark = lab.audit_mark()
    with lab.login("writer", user="shop.reader") as session:
        for change in changes(lab):
            for guise in guises(lab, change):
                for statement in guise[:-1]:
                    session.query(statement)
                error = refused(session, guise[-1])
                expected = ("login_protected", "dynamic_text_hidden") if "IMMEDIATE" in guise[-1] else ("login_protected",)
                assert any(f"[{code}]" in error.message for code in expected), (guise, str(error))
        # In the protocol of prepared statements, too.
        for change in changes(lab):
            for guise in guises(lab, change):
                session.command(STMT_PREPARE, guise[-1].encode())
                with pytest.raises(ServerError, match="login_protected|dynamic_text_hidden"):
                    session.receive_ok()
        assert session.query("SELECT 5") == [[b"5"]]
    assert (lab.ask_root("SHOW CREATE USER sallyport_shared@'%'"), lab.ask_root("SHOW GRANTS FOR sallyport_shared@'%'")) == before
    assert {record["reason"] for record in lab.audit(mark) if record["type"] == "outcome" and record["status"] == "denied"} <= {
        "login_protected", "dynamic_text_hidden"}


def test_an_agent_keeps_to_the_role_of_its_grant(lab):
    with lab.login("writer", user="shop.reader") as session:
        for role in ("SET ROLE shop_writer", "SET ROLE NONE", *(("SET ROLE ALL", "SET ROLE DEFAULT") if lab.kind == "mysql" else ())):
            for guise in guises(lab, role):
                for statement in guise[:-1]:
                    session.query(statement)
                error = refused(session, guise[-1])
                assert error.code in (1227, 1295), (guise, str(error))
        assert refused(session, WRITE).code == 1142
        assert b"shop_reader" in session.query("SELECT CURRENT_ROLE()")[0][0]


def test_a_login_that_no_role_is_set_for_has_those_that_it_was_granted(lab):
    with lab.login() as session:
        session.query("SET ROLE NONE")
        assert session.query("SELECT CURRENT_ROLE()") in ([[None]], [[b"NONE"]])


def test_no_guise_of_a_kill_reaches_another_session(lab):
    with lab.login() as victim, lab.login() as killer:
        number = int(victim.query("SELECT CONNECTION_ID()")[0][0])
        for guise in guises(lab, f"KILL {number}")[1:]:
            if guise[-1].startswith("/*!50000 KILL"):
                continue  # that is the plain form
            for statement in guise[:-1]:
                killer.query(statement)
            error = refused(killer, guise[-1])
            assert any(code in error.message for code in ("kill_form_not_supported", "dynamic_text_hidden")), (guise, str(error))
        assert victim.query("SELECT 5") == [[b"5"]]


def test_what_is_prepared_by_statements_works_and_is_on_record(lab):
    mark = lab.audit_mark()
    with lab.login() as session:
        session.query("PREPARE a FROM 'SELECT ? + 1'")
        session.query("SET @x = 4, @t = 'SELECT ''it''''s'', CONCAT(?, ''b'')'")
        session.query("PREPARE B FROM @t")
        assert session.query("EXECUTE a USING @x") == [[b"5"]]
        assert session.query("EXECUTE b USING @x") == [[b"it's", b"4b"]]
        session.query("DEALLOCATE PREPARE b")
        assert refused(session, "EXECUTE b USING @x").code == 1243
        assert refused(session, "PREPARE c FROM @nothing").code == 1064
        assert refused(session, "PREPARE c FROM 'SELEC 1'").code == 1064
        if lab.kind == "mariadb":
            assert session.query("EXECUTE IMMEDIATE CONCAT('SELECT ', @x, ' + ?') USING 3") == [[b"7"]]
        assert refused(session, "PREPARE a FROM 'SELECT 1 FROM nowhere.nothing'").code in (1142, 1146)
        assert refused(session, "EXECUTE a USING @x").code == 1243, "a PREPARE that fails leaves nothing"
    runs = [(record.get("text"), record.get("runs")) for record in lab.audit(mark) if record["type"] == "command" and "runs" in record]
    assert ("PREPARE a FROM 'SELECT ? + 1'", "SELECT ? + 1") in runs
    assert ("PREPARE B FROM @t", "SELECT 'it''s', CONCAT(?, 'b')") in runs
    assert ("EXECUTE a USING @x", "SELECT ? + 1") in runs
    assert ("EXECUTE b USING @x", "SELECT 'it''s', CONCAT(?, 'b')") in runs


def test_an_execute_has_the_text_on_record_that_ran_or_none(lab):
    """What the server takes for the same name, or a procedure prepared, may have taken its place."""
    lab.ask_root("DROP PROCEDURE IF EXISTS shop.prepares")
    lab.ask_root("CREATE PROCEDURE shop.prepares() BEGIN PREPARE s FROM 'SELECT ''of the procedure'''; END")
    lab.ask_root("GRANT EXECUTE ON PROCEDURE shop.prepares TO shop_writer")
    said = set()
    try:
        with lab.login("writer", user="shop.writer") as session:
            for other in ("DO 1", "PREPARE S FROM 'SELECT ''another'''", "PREPARE `s ` FROM 'SELECT ''another'''",
                          "PREPARE `\u015b` FROM 'SELECT ''another'''", "DEALLOCATE PREPARE `\u015b`", "CALL shop.prepares()"):
                session.query("PREPARE s FROM 'SELECT ''the first'''")
                try:
                    session.query(other)
                except ServerError:
                    assert other.startswith("DEALLOCATE") and lab.kind == "mariadb", "it has no such name"
                mark = lab.audit_mark()
                try:
                    ran = f"SELECT '{session.query('EXECUTE s')[0][0].decode()}'"
                except ServerError as error:
                    assert error.code == 1243 and other.startswith("DEALLOCATE"), error
                    ran = None
                record = lab.wait_for_record(mark, type="command", text="EXECUTE s")
                assert record.get("runs") in (None, ran), (other, record)
                said.add(record.get("runs"))
    finally:
        lab.ask_root("DROP PROCEDURE shop.prepares")
    assert {"SELECT 'the first'", "SELECT 'another'", None} <= said


def test_variables_of_the_session_may_make_a_text_but_not_under_a_set_statement(lab):
    """Which would give them another value than the gateway was told."""
    if lab.kind != "mariadb":
        pytest.skip("MariaDB's")
    with lab.login() as session:
        collation = session.query("SELECT @@collation_connection")[0]
        assert session.query("EXECUTE IMMEDIATE CONCAT('SELECT \"', @@collation_connection, '\"')") == [collation]
        for variable, value in (("character_set_results", "latin1"), ("character_set_client", "latin1"), ("character_set_connection", "latin1"),
                                ("collation_connection", "latin1_bin"), ("sql_mode", "ANSI_QUOTES")):
            text = f"EXECUTE IMMEDIATE IF(@@{variable} = '{value}', 'SELECT 7 AS another', 'SELECT 5 AS read_by_the_gateway')"
            assert "dynamic_text_hidden" in refused(session, f"SET STATEMENT {variable} = '{value}' FOR {text}").message, variable
        # Nor others, on which operators and functions depend.
        for text in ("IF(CONCAT(1/3) = '0.3333', 'SELECT 7', 'SELECT 5')", "CONCAT('SELECT ', 1/3)", "IF(1, 'SELECT 7', '')"):
            statement = f"SET STATEMENT div_precision_increment = 1 FOR EXECUTE IMMEDIATE {text}"
            assert "dynamic_text_hidden" in refused(session, statement).message, text
        session.query("SET @a = 'SELECT 9'")
        for text in ("@a", "'SELECT 9'"):
            assert session.query(f"SET STATEMENT div_precision_increment = 1 FOR EXECUTE IMMEDIATE {text}") == [[b"9"]]


def test_the_server_is_asked_for_nothing_that_is_much_work(lab):
    """It is asked before the statement is on record."""
    if lab.kind == "mysql":
        pytest.skip("MariaDB's")
    with lab.login() as session:
        session.query("SET @long = REPEAT('a', 8000000), @short = 'SELECT 7'")
        work = "@long"
        for _ in range(60):
            work = f"LOWER({work})"
        for text in (f"LEFT({work}, 0)", work.replace("@long", "REPEAT('a', 8000000)"), "REPLACE(@long, 'a', @long)", "SFORMAT('{:100000000}', 1)",
                     "IF(@long = '', @short, @short)", "(@long)", "@long"):
            began = time.monotonic()
            assert "dynamic_text_hidden" in refused(session, f"EXECUTE IMMEDIATE {text}").message, text[:80]
            assert time.monotonic() - began < 0.5, text[:80]
        for text in ("@short", work.replace("@long", "@short"), "SFORMAT('SELECT {}', 7)", "CONCAT('SELECT ', QUOTE(7))", "IFNULL(@nothing, @short)"):
            assert session.query(f"EXECUTE IMMEDIATE {text}") == [[b"7"]], text[:80]


def test_a_long_text_that_was_prepared_is_not_held_in_memory(lab):
    with lab.login() as session:
        begun = None
        for number in range(50):
            session.prepare(f"SELECT /* c */ {number}, '{'x' * 2000000}'")
            begun = lab.resident_bytes() if number == 9 else begun
        assert lab.resident_bytes() - begun < 20_000_000


def test_a_text_is_run_where_it_is_certain_what_the_server_makes_of_it(lab):
    e_acute, yen = "\u00e9", "\u00a5"
    with lab.login() as session:
        session.query("SET @a = CONCAT('SELECT 1', REPEAT(' ', 70000))")
        assert "dynamic_text_hidden" in refused(session, "PREPARE s FROM @a").message
        for letter, charset in ((e_acute, "latin1"), (e_acute, "ucs2"), (yen, "cp932")):
            session.query(f"SET @a = CONVERT({quoted(f'SELECT {letter!r}')} USING {charset})")
            if b"?" not in session.query("SELECT CONVERT(@a USING utf8mb4)")[0][0]:
                assert "dynamic_text_hidden" in refused(session, "PREPARE s FROM @a").message, charset
        for value in ("CONVERT('SELECT 7' USING ucs2)", "CONVERT('SELECT 7' USING utf32)", "CONVERT('SELECT 7' USING latin1)", "_binary'SELECT 7'"):
            session.query(f"SET @a = {value}")
            session.query("PREPARE s FROM @a")
            assert session.query("EXECUTE s") == [[b"7"]], value
        text = quoted(f"SELECT '{e_acute}', HEX('{e_acute}')")
        session.query(f"SET @b = {text}")
        for source in ("@b", text):
            session.query(f"PREPARE s FROM {source}")
            assert session.query("EXECUTE s") == [[e_acute.encode(), b"C3A9"]]
        # To MySQL the bytes of these characters, in the connection's character set, would be another text: "KILL 1 ".
        session.query("SET character_set_connection = utf16le")
        session.query("SET @c = CONVERT(_utf16le 0x4B494C4C203120 USING utf8mb4)")
        assert refused(session, "PREPARE s FROM @c").code in (1295, 1064)


@pytest.fixture(scope="module")
def reread(lab):
    """A table whose change makes the servers read what was prepared anew."""
    lab.ask_root("CREATE TABLE shop.reread (name VARCHAR(20))")
    lab.ask_root("INSERT INTO shop.reread VALUES ('secret')")
    changed = [0]

    def change():
        changed[0] += 1
        lab.ask_root(f"ALTER TABLE shop.reread ADD c{changed[0]} INT")

    yield change
    lab.ask_root("DROP TABLE shop.reread")


# To gbk, 0xBF and the backslash are one character; to latin1 the backslash hides the quote.
TWO_FACED = b"SELECT '\xbf\\', name, ' FROM reread -- ' FROM reread"


@pytest.mark.parametrize("way", ["protocol", "statement"])
@pytest.mark.parametrize("what", ["mode", "charset"])
def test_what_was_prepared_is_not_executed_once_it_would_be_read_as_something_else(lab, reread, way, what):
    text, before, after = ((b'SELECT "name" FROM reread', "SET sql_mode = ''", "SET sql_mode = 'ANSI_QUOTES'") if what == "mode" else
                           (TWO_FACED, "SET NAMES latin1", "SET NAMES gbk"))
    with lab.login(schema="shop") as session:
        session.query(before)
        if way == "protocol":
            statement, *_ = session.prepare(text)
        else:
            session.query(f"SET @v = 0x{text.hex()}")
            session.query("PREPARE s FROM @v")

        def execute():
            return session.execute(statement) if way == "protocol" else session.query("EXECUTE s")

        said = execute()
        session.query(after)
        reread()
        if what == "mode" and lab.kind == "mariadb":
            assert execute() == said, "it keeps the mode with the text"
            return
        with pytest.raises(ServerError, match="prepared_otherwise"):
            execute()
        session.query(before)
        assert execute() == said


def test_a_change_of_mode_that_a_text_does_not_heed_is_no_hindrance(lab):
    with lab.login(schema="shop") as session:
        statement, *_ = session.prepare("SELECT 'a', 1 FROM DUAL WHERE NOT 0")
        session.query("PREPARE s FROM 'SELECT 7 || 0'")
        session.query("SET sql_mode = 'ANSI_QUOTES'")
        assert session.execute(statement)
        assert session.query("EXECUTE s") == [[b"1"]]
        session.query("SET sql_mode = 'PIPES_AS_CONCAT'")
        if lab.kind == "mysql":
            assert "prepared_otherwise" in refused(session, "EXECUTE s").message
        session.query("PREPARE s FROM 'SELECT 7 || 0'")
        assert session.query("EXECUTE s") == [[b"70"]]
