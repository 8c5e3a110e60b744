"""Witnesses of a real gateway's log: a file, a witness of another origin, and another gateway."""

import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from laboratory import REPOSITORY, wait_until
from test_audit_crashes import BINARY, gateway_of

sys.path.insert(0, str(REPOSITORY / "tests" / "audit"))
from audit_log import Checkpoint, Key, Signer, WitnessKey, sign_checkpoint  # noqa: E402
from witness import Witness  # noqa: E402


def verify(lab, *arguments, directory=None):
    """By the program and by the verifier of another origin: (whether both say so, the program's report)"""
    common = [directory or lab.audit_directory(), "--public-key", lab.values["LAB_AUDIT_PUBLIC_KEY"], *arguments]
    done = subprocess.run([BINARY, "audit", "verify", *map(str, common), "--json"], capture_output=True, text=True, check=False)
    second = subprocess.run([sys.executable, REPOSITORY / "tests" / "audit" / "verify.py", *common],
                            capture_output=True, text=True, check=False)
    assert done.returncode == second.returncode, done.stdout + done.stderr + second.stdout + second.stderr
    return done.returncode == 0, json.loads(done.stdout)


def state_of(lab, name):
    values = lab.metrics()
    return {what: values[f'sallyport_audit_witness_{what}{{witness="{name}"}}'] for what in ("records", "failing", "failures_total")}


def ask(lab, sql="SELECT 1"):
    with lab.login("reporter") as client:
        client.query(sql)


def log_key(lab):
    return Key.parse(Path(lab.values["LAB_AUDIT_PUBLIC_KEY"]).read_text(encoding="utf-8"))


def setting(witness):
    return f'{{url: "{witness.url}", key: "{witness.cosigner.key.line()}", every: 1s}}'


def test_a_file_has_copies_and_shows_a_log_that_was_put_back(kind, tmp_path):
    copies = tmp_path / "elsewhere" / "checkpoints"
    copies.parent.mkdir()
    with gateway_of(kind, tmp_path / "lab", witnesses=f'[{{file: "{copies}", every: 1s}}]') as (lab, gateway):
        gateway.start()
        ask(lab)
        wait_until(lambda: copies.exists() and state_of(lab, copies)["records"] > 2, 10, "a copy")
        gateway.kill(15)
        older = tmp_path / "older"
        shutil.copytree(lab.audit_directory(), older)
        gateway.start()
        for _ in range(3):
            ask(lab)
        gateway.kill(15)
        good, report = verify(lab, "--witness-file", copies)
        assert good, report
        newest = Checkpoint((lab.audit_directory() / "checkpoint").read_bytes())
        assert report["witnesses"] == [{"name": str(copies), "covered": newest.size,
                                        "checkpoints": report["witnesses"][0]["checkpoints"]}], "with the last one, at the end"
        # The whole directory in an older state: nothing in it tells.
        assert verify(lab, directory=older)[0]
        good, report = verify(lab, "--witness-file", copies, directory=older)
        assert not good and "records_missing" in {one["code"] for one in report["findings"]}
        shutil.rmtree(lab.audit_directory())
        shutil.copytree(older, lab.audit_directory())
        before = copies.read_bytes()
        gateway.start()
        wait_until(lambda: state_of(lab, copies)["failing"] == 1, 10, "the state of the witness")
        ask(lab)  # is not refused for that
        said = lab.wait_for_record(None, type="witness_state", state="inconsistent")
        assert "older state" in said["detail"] and said["witness"] == str(copies)
        assert copies.read_bytes() == before and "a witness does not have" in lab.gateway_log()


def test_a_witness_cosigns_and_its_failure_is_on_record_and_no_statement_is_refused(kind, tmp_path):
    with Witness("witness.example/one", []) as witness:
        with gateway_of(kind, tmp_path / "lab", witnesses=f"[{setting(witness)}]") as (lab, gateway):
            name, key = "witness.example/one", witness.cosigner.key.line()
            witness.answer_with = 500
            gateway.start()
            wait_until(lambda: state_of(lab, name)["failing"] == 1, 10, "a failure")
            ask(lab)
            assert state_of(lab, name)["records"] == 0
            said = lab.wait_for_record(None, type="witness_state")
            assert (said["state"], said["detail"]) == ("failing", "it answers with status 500")
            good, report = verify(lab, "--witness-key", key)
            assert not good and [one["code"] for one in report["findings"]] == ["witness_missing"]
            witness.answer_with = None
            wait_until(lambda: 404 in witness.requests, 10, "a log that it does not know")
            witness.keys.append(log_key(lab))
            ask(lab)
            wait_until(lambda: state_of(lab, name)["records"] > 2, 10, "a cosignature")
            lab.wait_for_record(None, type="witness_state", state="current")
            size = witness.known[log_key(lab).name][0]
            ask(lab)
            wait_until(lambda: witness.known[log_key(lab).name][0] > size, 10, "another one, with a proof")
            # It does not know what the witness cosigned last.
            gateway.kill()
            gateway.start()
            ask(lab)
            count = len(witness.requests)
            wait_until(lambda: 200 in witness.requests[count:], 10, "a cosignature after the start")
            gateway.kill(15)
            assert witness.known[log_key(lab).name][0] == Checkpoint((lab.audit_directory() / "checkpoint").read_bytes()).size
            good, report = verify(lab, "--witness-key", key)
            assert good and report["witnesses"][0]["covered"] == witness.known[log_key(lab).name][0], report
            cosigned = lab.audit_directory() / "cosigned"
            note = cosigned.read_bytes()
            assert WitnessKey.parse(key).time_of(Checkpoint(note[:-1])) is not None
            # A cosignature of another is none of this one's, and a changed one none at all.
            assert not verify(lab, "--witness-key", WitnessKey("witness.example/one", Signer("x", b"7" * 32).key.public_bytes).line())[0]
            cosigned.write_bytes(note.replace(b"\n1", b"\n2", 1) if b"\n1" in note else note[:-9] + b"AAAAAA==\n")
            assert not verify(lab, "--witness-key", key)[0]
            cosigned.unlink()
            assert not verify(lab, "--witness-key", key)[0]


def test_history_that_is_rewritten_with_the_key_is_not_cosigned(kind, tmp_path):
    """Whoever has the gateway and its key signs what he wants; the witness has what was before."""
    with Witness("witness.example/one", []) as witness:
        with gateway_of(kind, tmp_path / "lab", witnesses=f"[{setting(witness)}]") as (lab, gateway):
            gateway.start()
            witness.keys.append(log_key(lab))
            ask(lab)
            wait_until(lambda: state_of(lab, "witness.example/one")["records"] > 2, 20, "a cosignature")
            gateway.kill(15)
            size = witness.known[log_key(lab).name][0]
            # The same log without its past: other records, rightly signed.
            for path in lab.audit_directory().iterdir():
                path.unlink()
            gateway.start()
            wait_until(lambda: state_of(lab, "witness.example/one")["failing"] == 1, 15, "a refusal")
            for _ in range(size):
                ask(lab)
            wait_until(lambda: 422 in witness.requests, 15, "a refusal of what is longer")
            assert witness.known[log_key(lab).name][0] == size
            said = lab.wait_for_record(None, type="witness_state", state="inconsistent")
            assert "cosigned" in said["detail"]
            gateway.kill(15)
            assert verify(lab)[0], "nothing in the directory tells"
            assert not verify(lab, "--witness-key", witness.cosigner.key.line())[0]


def post(url, body, method="POST"):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body, method=method), timeout=10) as response:
            return response.status, response.headers["Content-Type"], response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read()


def test_a_gateway_is_the_witness_of_another(kind, tmp_path):
    with gateway_of(kind, tmp_path / "witness", durability="normal") as (other, witness_gateway):
        stranger = Signer("stranger.example", b"1" * 32)
        config = Path(other.values["LAB_CONFIG"])
        text = config.read_text(encoding="utf-8")
        config.write_text(text + f'\nwitness: {{name: gateway.example/w, logs: ["{stranger.key.line()}"]}}\n', encoding="utf-8")
        witness_gateway.start()
        url = other.values["LAB_ADMIN_URL"] + "/witness"
        key_file = Path(other.values["LAB_STATE_DIR"]) / "witness.key.pub"
        key = key_file.read_text(encoding="utf-8").strip()
        assert WitnessKey.parse(key).name == "gateway.example/w"
        with gateway_of(kind, tmp_path / "lab", witnesses=f'[{{url: "{url}", key: "{key}", every: 1s}}]') as (lab, gateway):
            gateway.start()
            wait_until(lambda: state_of(lab, "gateway.example/w")["failing"] == 1, 10, "a log that is not known there")
            assert lab.wait_for_record(None, type="witness_state")["detail"] == "it does not know this log, or is no witness"
            config.write_text(text + f'\nwitness: {{name: gateway.example/w, logs: ["{stranger.key.line()}", "{log_key(lab).line()}"]}}\n',
                              encoding="utf-8")
            witness_gateway.kill(15)
            witness_gateway.start()
            ask(lab)
            wait_until(lambda: state_of(lab, "gateway.example/w")["records"] > 2, 20, "a cosignature")
            witness_gateway.kill()
            ask(lab)
            wait_until(lambda: state_of(lab, "gateway.example/w")["failing"] == 1, 20, "a witness that is away")
            witness_gateway.start()
            wait_until(lambda: state_of(lab, "gateway.example/w")["failing"] == 0, 20, "a witness that is back")
            ask(lab)
            gateway.kill(15)
            good, report = verify(lab, "--witness-key", key_file)
            assert good, report
            note = (lab.audit_directory() / "checkpoint").read_bytes()
            newest = Checkpoint(note)
            assert report["witnesses"][0]["covered"] == newest.size
            # Its state outlives kill -9, and what does not fit is refused as the protocol says.
            witness_gateway.kill()
            witness_gateway.start()
            target = url + "/add-checkpoint"
            size = b"%d\n" % newest.size
            assert post(target, b"old 0\n\n" + note) == (409, "text/x.tlog.size", size)
            assert post(target, b"old %d\n\n" % newest.size + note)[0] == 200, "the same again"
            assert post(target, b"old %d\n\n" % (newest.size + 1) + note)[0] == 400
            unknown = sign_checkpoint("unknown.example", 1, b"0" * 32, [Signer("unknown.example", b"2" * 32)])
            assert post(target, b"old 0\n\n" + unknown)[0] == 404
            forged = sign_checkpoint(newest.origin, newest.size + 9, b"0" * 32, [Signer(newest.origin, b"2" * 32)])
            assert post(target, b"old %d\n\n" % newest.size + forged)[0] == 403
            rightly = sign_checkpoint("stranger.example", 5, b"0" * 32, [stranger])
            assert post(target, b"old 0\n\n" + rightly)[0] == 200
            second = sign_checkpoint("stranger.example", 5, b"1" * 32, [stranger])
            assert post(target, b"old 5\n\n" + second) == (409, "text/x.tlog.size", b"5\n")
            third = sign_checkpoint("stranger.example", 7, b"1" * 32, [stranger])
            assert post(target, b"old 5\n" + b"A" * 43 + b"=\n\n" + third)[0] == 422
            assert post(target, b"old 5\n\n" + third)[0] == 422
            for body in (b"", b"\0" * 100, b"old 0\n", b"x" * 8000):
                assert post(target, body)[0] == 400
            assert post(target, b"", method="PUT")[0] == 405
            assert post(url + "/other", b"")[0] in (404, 405)
            assert "does not go on from the one that was cosigned" in other.gateway_log()
