"""Recorded answers of real sessions, encrypted: what is in the files, and who can read it."""

import base64
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading

import pytest

from laboratory import REPOSITORY, wait_until
from mysql_wire import Closed, ServerError
from test_audit_crashes import BINARY, gateway_of

sys.path.insert(0, str(REPOSITORY / "tests" / "audit"))
from answer_blob import AnswersKey, pieces  # noqa: E402

SECRET = "open-sesame-4711"


def sallyport(*arguments):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120)


def make_key(path):
    path.write_text(base64.b64encode(os.urandom(32)).decode() + "\n", encoding="ascii")
    path.chmod(0o600)
    return AnswersKey(path.read_text(encoding="ascii"))


def files_with(directory, text):
    return [path.name for path in sorted(directory.iterdir()) if text in path.read_bytes()]


def answers_of(directory, keys):
    """{(session, seq of the command): answer}"""
    answers = {}
    for path in sorted(directory.glob("answers-*.blob")):
        for piece in pieces(path, keys):
            had = answers.setdefault((piece.session, piece.command), b"")
            if piece.offset == len(had):
                answers[piece.session, piece.command] = had + piece.content
    return answers


def outcomes(lab, mark):
    found = [one for one in lab.audit(mark) if one["type"] == "outcome" and "answer_recorded" in one]
    return {(one["session"], one["of"]): one for one in found}


def ask(lab, sql):
    with lab.login("reporter") as client:
        return client.query(sql)


@pytest.mark.parametrize("durability", ["normal", "strict"])
def test_encrypted_answers_are_in_no_file_and_whoever_has_the_key_reads_them(kind, tmp_path, durability):
    first_file, second_file = tmp_path / "first.key", tmp_path / "second.key"
    keys = [make_key(first_file), make_key(second_file)]
    settings = f'{{file: "{first_file}"}}'
    with gateway_of(kind, tmp_path / "lab", durability=durability, answers="all", answers_key=settings) as (lab, gateway):
        gateway.start()
        mark = lab.audit_mark()
        # The text of a statement is on record in the clear: the secret is put together by the server.
        sql = f"SELECT CONCAT('{SECRET[:6]}', '{SECRET[6:]}') AS x"
        ask(lab, sql)
        ask(lab, f"SELECT REPEAT(CONCAT('{SECRET[:6]}', '{SECRET[6:]}'), 100000) AS x")
        lab.reload(lambda text: text.replace(str(first_file), str(second_file)))
        lab.wait_for_record(mark, type="configuration_loaded")
        ask(lab, sql)
        directory = lab.audit_directory()
        wait_until(lambda: len(outcomes(lab, mark)) >= 3, 10, "the outcomes")
        assert "sallyport_audit_answers_encrypted 1" in lab.admin("/metrics")[1]
        gateway.kill()  # the journals are left behind
        assert files_with(directory, SECRET.encode()) == []
        gateway.start()
        gateway.kill(15)
        assert files_with(directory, SECRET.encode()) == []

        answers = answers_of(directory, keys)
        recorded = outcomes(lab, mark)
        assert sum(SECRET.encode() in answer for answer in answers.values()) == 3
        for place, outcome in recorded.items():
            assert hashlib.sha256(answers[place]).hexdigest() == outcome["answer_recorded"]["sha256"] == outcome["answer_sha256"]
        used = {piece.key_id for path in directory.glob("answers-*.blob") for piece in pieces(path, keys)}
        assert used == {key.id for key in keys}

        starts = [one["answers_key"] for one in lab.audit(mark) if one["type"] == "audit_start"]
        assert starts[-1:] == [keys[1].id.hex()]
        for session in {session for session, _ in recorded}:
            replay = ["sessions", "replay", session, "--dir", directory, "--speed", "max"]
            without = sallyport(*replay)
            assert without.returncode == 0 and SECRET not in without.stdout
            assert "(the answer is encrypted with the key " in without.stdout and "--answers-key" in without.stdout
            with_key = sallyport(*replay, "--answers-key", first_file, "--answers-key", second_file)
            assert with_key.returncode == 0 and SECRET in with_key.stdout, with_key
        everything = sallyport("audit", "search", "--dir", directory, "--text", SECRET[:6])
        assert everything.returncode == 0 and everything.stdout.count(SECRET[:6]) >= 3
        verify = ["audit", "verify", directory, "--public-key", lab.values["LAB_AUDIT_PUBLIC_KEY"], "--json"]
        done = sallyport(*verify)
        assert done.returncode == 0, done.stdout  # both keys are on record
        answers = json.loads(done.stdout)["answers"]
        assert answers["encrypted"] == len(outcomes(lab, None)) and answers["wanted_keys"] == sorted(key.id.hex() for key in keys)
        done = sallyport(*verify, "--answers-key", first_file, "--answers-key", second_file)
        assert done.returncode == 0, done.stdout
        answers = json.loads(done.stdout)["answers"]
        assert (answers["whole"], answers["encrypted"]) == (len(outcomes(lab, None)), 0)

        first_file.chmod(0o644)
        refused = sallyport(*replay, "--answers-key", first_file)
        assert refused.returncode == 1 and "can be read or written by everyone" in refused.stderr
        assert first_file.read_text(encoding="ascii").strip() not in refused.stderr + json.dumps(lab.gateway_log())


def test_answers_are_verified_while_they_are_written(kind, tmp_path):
    """Whole ones and beginnings, over many segments, after a kill, and by the verifier of another origin."""
    with gateway_of(kind, tmp_path / "lab", answers="100KiB", segment_bytes="256KiB") as (lab, gateway):
        gateway.start()
        directory, key = lab.audit_directory(), lab.values["LAB_AUDIT_PUBLIC_KEY"]
        verify = ["audit", "verify", directory, "--public-key", key, "--json"]
        ends = threading.Event()

        def work():
            while not ends.is_set():
                with contextlib.suppress(OSError, ServerError, Closed), lab.login("reporter") as client:
                    for size in (1, 1000, 300000, 20):
                        client.query(f"SELECT REPEAT('x', {size}) AS x")

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for round_number in range(4):
                done = sallyport(*verify)
                assert done.returncode == 0, done.stdout
                if round_number == 1:
                    gateway.kill()
                    gateway.start()
        finally:
            ends.set()
            for thread in threads:
                thread.join()
        gateway.kill()
        gateway.start()
        gateway.kill(15)
        done = sallyport(*verify)
        assert done.returncode == 0, done.stdout
        answers = json.loads(done.stdout)["answers"]
        assert answers["whole"] > 20 and answers["beginnings"] > 5 and len(list(directory.glob("answers-*.blob"))) > 2
        second = subprocess.run([sys.executable, REPOSITORY / "tests" / "audit" / "verify.py", directory, "--public-key", key],
                                capture_output=True, text=True, check=False)
        assert second.returncode == 0, second.stdout + second.stderr
        blob = sorted(directory.glob("answers-*.blob"))[1]
        raw = bytearray(blob.read_bytes())
        raw[raw.index(b"xxxx")] ^= 1
        blob.write_bytes(raw)
        done = sallyport(*verify)
        assert done.returncode == 1 and "answer_altered" in done.stdout, done.stdout
