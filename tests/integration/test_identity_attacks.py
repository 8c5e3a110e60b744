"""Forged and misused tokens against the running gateway: each is refused before a connection to the server opens.

Every row of the table differs from an accepted token by its one flaw; `test_the_flawless_token_is_accepted` proves that the
rest is right.
"""

import json
import time

import pytest

import forge
from forge import b64, claims, compact, token, with_hmac
from mysql_wire import USUAL, Client, Closed, ServerError


MESSAGE_BYTES_MAX = 1 << 19


def now():
    return int(time.time())


def es(lab):
    return lab.keys["es-1"]


def tampered(text, part, change):
    parts = text.split(".")
    parts[part] = change(parts[part])
    return ".".join(parts)


def flipped(text):
    middle = len(text) // 2
    return text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1:]


def other_subject(text):
    del text
    return b64(json.dumps(claims(sub="agent-writer")))


def signed(lab, head, body):
    return compact(head, body, es(lab).sign)


def duplicate(body, extra):
    return json.dumps(body)[:-1] + extra + "}"


def der_signature(lab):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    return compact(forge.header(es(lab)), claims(), lambda text: es(lab).private.sign(text, ec.ECDSA(hashes.SHA256())))


def unknown_key(algorithm="ES256", kid="nobodys"):
    return forge.Key(algorithm, kid)


def stranger_with_known_kid(lab):
    return token(forge.Key("ES256", "es-1"))


def embedded_key(lab):
    stranger = unknown_key()
    return token(stranger, jwk=stranger.jwk())


def nested(lab):
    inner = token(es(lab))
    return compact(forge.header(es(lab), cty="JWT"), inner, es(lab).sign)


def nested_without_cty(lab):
    return compact(forge.header(es(lab)), token(es(lab)), es(lab).sign)


def human(**changes):
    return claims(sub="person-17", client_id="console", **changes)


def spiffe(lab, **changes):
    body = {"sub": "spiffe://lab.example.org/agents/one", "aud": ["sallyport"], "exp": now() + 300, "iat": now()} | changes
    return token(es(lab), {name: value for name, value in body.items() if value is not None}, typ="JWT")


# Name, how the token is made, the reason codes that are right for it.
ATTACKS = [
    # The algorithm
    ("alg none", lambda lab: compact(forge.header(es(lab), alg="none"), claims(), lambda _: b""), "token_algorithm_not_allowed token_malformed"),
    ("alg none, signature kept", lambda lab: token(es(lab), alg="none"), "token_algorithm_not_allowed"),
    ("alg nOnE", lambda lab: compact(forge.header(es(lab), alg="nOnE"), claims(), lambda _: b"x"), "token_algorithm_not_allowed"),
    ("alg missing", lambda lab: token(es(lab), alg=None), "token_malformed token_algorithm_not_allowed"),
    ("alg a number", lambda lab: token(es(lab), alg=256), "token_malformed"),
    ("HS256 with the public key's PEM", lambda lab: with_hmac(lab.keys["rs-1"].public_pem(), forge.header(lab.keys["rs-1"], alg="HS256"), claims()),
     "token_algorithm_not_allowed"),
    ("HS256 with the published JWK", lambda lab: with_hmac(json.dumps(es(lab).jwk()).encode(), forge.header(es(lab), alg="HS256"), claims()),
     "token_algorithm_not_allowed"),
    ("HS256 with an empty key", lambda lab: with_hmac(b"", forge.header(es(lab), alg="HS256"), claims()), "token_algorithm_not_allowed"),
    ("an algorithm that is not allowed", lambda lab: token(lab.keys["rs-1"], alg="RS512"), "token_algorithm_not_allowed"),
    ("another algorithm of the key's family", lambda lab: token(lab.keys["rs-1"], alg="PS256"), "token_key_unknown"),
    ("another family's algorithm", lambda lab: token(es(lab), alg="EdDSA", kid="es-1"), "token_key_unknown token_signature_invalid"),
    ("lower case alg", lambda lab: token(es(lab), alg="es256"), "token_algorithm_not_allowed"),
    # The signature
    ("signature empty", lambda lab: tampered(token(es(lab)), 2, lambda _: ""), "token_malformed"),
    ("signature cut off", lambda lab: ".".join(token(es(lab)).split(".")[:2]), "token_malformed"),
    ("signature changed", lambda lab: tampered(token(es(lab)), 2, flipped), "token_signature_invalid"),
    ("signature of zeros", lambda lab: compact(forge.header(es(lab)), claims(), lambda _: b"\0" * 64), "token_signature_invalid"),
    ("signature in DER", der_signature, "token_signature_invalid"),
    ("signature too long", lambda lab: compact(forge.header(es(lab)), claims(), lambda text: es(lab).sign(text) + b"\0"), "token_signature_invalid"),
    ("payload changed", lambda lab: tampered(token(es(lab)), 1, other_subject), "token_signature_invalid"),
    ("header changed", lambda lab: tampered(token(es(lab)), 0, lambda _: b64(json.dumps(forge.header(es(lab), extra="x")))), "token_signature_invalid"),
    ("a stranger's key under a known kid", stranger_with_known_kid, "token_signature_invalid"),
    # The key
    ("kid unknown", lambda lab: token(unknown_key()), "token_key_unknown"),
    ("kid missing", lambda lab: token(unknown_key(), kid=None), "token_key_unknown token_signature_invalid"),
    ("kid a path", lambda lab: token(unknown_key(kid="../../../../../dev/null")), "token_key_unknown"),
    ("kid an address", lambda lab: token(unknown_key(kid="http://127.0.0.1:1/keys")), "token_key_unknown"),
    ("kid SQL", lambda lab: token(unknown_key(kid="' UNION SELECT 'key' -- ")), "token_key_unknown"),
    ("kid with controls", lambda lab: token(unknown_key(kid="es-1\x00\r\n\x1b[31m")), "token_key_unknown"),
    ("kid very long", lambda lab: token(unknown_key(kid="k" * 8000)), "token_key_unknown"),
    ("kid not a text", lambda lab: token(es(lab), kid=["es-1"]), "token_malformed"),
    ("kid another issuer's", lambda lab: token(es(lab), claims(iss=lab.values["LAB_ISSUER_URL"], sub="agent-reporter", groups=["reporters"])),
     "token_key_unknown"),
    ("a key for encryption", lambda lab: token(lab.keys["enc-1"], alg="RS256"), "token_key_unknown"),
    ("a key of 1024 bits", lambda lab: token(lab.keys["weak-1"]), "token_key_unknown token_signature_invalid"),
    ("the key in the header", embedded_key, "token_header_not_allowed"),
    ("jku", lambda lab: token(unknown_key(), jku="http://127.0.0.1:1/jwks"), "token_header_not_allowed"),
    ("jku of the issuer", lambda lab: token(es(lab), jku="https://forge.example.org/jwks"), "token_header_not_allowed"),
    ("x5u", lambda lab: token(unknown_key(), x5u="http://127.0.0.1:1/cert"), "token_header_not_allowed"),
    ("x5c", lambda lab: token(unknown_key(), x5c=["MIIB"]), "token_header_not_allowed"),
    ("crit", lambda lab: token(es(lab), crit=["exp"]), "token_header_not_allowed"),
    ("b64 false", lambda lab: token(es(lab), b64=False, crit=["b64"]), "token_header_not_allowed"),
    ("keys can't be fetched", lambda lab: token(es(lab), claims(iss=f"http://127.0.0.1:{lab.values['LAB_SPARE_PORT_8']}")),
     "issuer_keys_unavailable"),
    # The claims
    ("iss missing", lambda lab: token(es(lab), claims(iss=None)), "token_issuer_unknown"),
    ("iss unknown", lambda lab: token(es(lab), claims(iss="https://forge.example.org.evil.example")), "token_issuer_unknown"),
    ("iss with a slash more", lambda lab: token(es(lab), claims(iss=forge.ISSUER + "/")), "token_issuer_unknown"),
    ("iss in capitals", lambda lab: token(es(lab), claims(iss=forge.ISSUER.upper())), "token_issuer_unknown"),
    ("iss a list", lambda lab: token(es(lab), claims(iss=[forge.ISSUER])), "token_issuer_unknown token_claim_invalid"),
    ("aud missing", lambda lab: token(es(lab), claims(aud=None)), "token_audience_mismatch token_claim_invalid"),
    ("aud another", lambda lab: token(es(lab), claims(aud="payments")), "token_audience_mismatch"),
    ("aud a prefix", lambda lab: token(es(lab), claims(aud="sallyport-admin")), "token_audience_mismatch"),
    ("aud an empty list", lambda lab: token(es(lab), claims(aud=[])), "token_audience_mismatch"),
    ("aud with a number", lambda lab: token(es(lab), claims(aud=["sallyport", 1])), "token_claim_invalid"),
    ("aud an object", lambda lab: token(es(lab), claims(aud={"sallyport": True})), "token_claim_invalid token_audience_mismatch"),
    ("exp missing", lambda lab: token(es(lab), claims(exp=None)), "token_claim_invalid"),
    ("exp past", lambda lab: token(es(lab), claims(iat=now() - 900, exp=now() - 600)), "token_expired"),
    ("exp past by more than the skew", lambda lab: token(es(lab), claims(iat=now() - 300, exp=now() - 32)), "token_expired"),
    ("exp a text", lambda lab: token(es(lab), claims(exp=str(now() + 300))), "token_claim_invalid"),
    ("exp beyond all numbers", lambda lab: signed(lab, forge.header(es(lab)), json.dumps(claims(exp=0)).replace('"exp": 0', '"exp": 1e400')),
     "token_claim_invalid token_malformed"),
    ("exp negative", lambda lab: token(es(lab), claims(exp=-1)), "token_claim_invalid token_expired"),
    ("exp true", lambda lab: token(es(lab), claims(exp=True)), "token_claim_invalid"),
    ("exp far away", lambda lab: token(es(lab), claims(exp=now() + 10 * 365 * 86400)), "token_lifetime_too_long"),
    ("iat missing", lambda lab: token(es(lab), claims(iat=None)), "token_claim_invalid"),
    ("iat in the future", lambda lab: token(es(lab), claims(iat=now() + 600, exp=now() + 900)), "token_not_yet_valid"),
    ("iat moved to shorten the lifetime", lambda lab: token(es(lab), claims(iat=now() + 86400, exp=now() + 86700)), "token_not_yet_valid"),
    ("nbf in the future", lambda lab: token(es(lab), claims(nbf=now() + 600)), "token_not_yet_valid"),
    ("nbf beyond the skew", lambda lab: token(es(lab), claims(nbf=now() + 33)), "token_not_yet_valid"),
    ("nbf a text", lambda lab: token(es(lab), claims(nbf="now")), "token_claim_invalid"),
    ("sub missing", lambda lab: token(es(lab), claims(sub=None)), "token_claim_invalid"),
    ("sub empty", lambda lab: token(es(lab), claims(sub="")), "token_claim_invalid"),
    ("sub a list", lambda lab: token(es(lab), claims(sub=["agent-forged"])), "token_claim_invalid"),
    ("bound to a key", lambda lab: token(es(lab), claims(cnf={"jkt": "abc"})), "token_claim_invalid"),
    # The type
    ("typ missing", lambda lab: token(es(lab), typ=None), "token_type_not_allowed"),
    ("an ID token", lambda lab: token(es(lab), claims(nonce="n"), typ="JWT"), "token_type_not_allowed"),
    ("a logout token", lambda lab: token(es(lab), typ="logout+jwt"), "token_type_not_allowed"),
    ("a DPoP proof", lambda lab: token(es(lab), typ="dpop+jwt"), "token_type_not_allowed"),
    ("typ a list", lambda lab: token(es(lab), typ=["at+jwt"]), "token_malformed"),
    # The subject
    ("a human's token", lambda lab: token(es(lab), human()), "token_subject_not_machine"),
    ("a human's token with a machine's name", lambda lab: token(es(lab), claims(client_id="console")), "token_subject_not_machine"),
    ("nobody's account", lambda lab: token(es(lab), claims(sub="agent-nobody", client_id="agent-nobody")), "account_unknown"),
    ("an account's name in other case", lambda lab: token(es(lab), claims(sub="AGENT-FORGED", client_id="AGENT-FORGED")), "account_unknown"),
    ("two accounts", lambda lab: token(es(lab), claims(sub="agent-twice", client_id="agent-twice")), "account_ambiguous"),
    ("a disabled account", lambda lab: token(es(lab), claims(sub="agent-switched-off", client_id="agent-switched-off")), "account_disabled"),
    ("an account of another connection", lambda lab: token(es(lab), claims(sub="agent-elsewhere", client_id="agent-elsewhere")),
     "connection_not_granted"),
    ("another issuer's account", lambda lab: token(es(lab), claims(sub="agent-reporter", client_id="agent-reporter", groups=["reporters"])),
     "account_unknown"),
    # SPIFFE
    ("SPIFFE: another trust domain", lambda lab: spiffe(lab, sub="spiffe://evil.example.org/agents/one"), "token_issuer_unknown"),
    ("SPIFFE: trust domain as a prefix", lambda lab: spiffe(lab, sub="spiffe://lab.example.org.evil/agents/one"), "token_issuer_unknown"),
    ("SPIFFE: path beside the glob", lambda lab: spiffe(lab, sub="spiffe://lab.example.org/agents/one/two"), "account_unknown"),
    ("SPIFFE: path upwards", lambda lab: spiffe(lab, sub="spiffe://lab.example.org/agents/../admin"), "token_claim_invalid token_issuer_unknown"),
    ("SPIFFE: aud missing", lambda lab: spiffe(lab, aud=None), "token_audience_mismatch token_claim_invalid"),
    ("SPIFFE: expired", lambda lab: spiffe(lab, iat=now() - 600, exp=now() - 300), "token_expired"),
    # The form
    ("not a token", lambda lab: "hunter2", "token_malformed"),
    ("only dots", lambda lab: "..", "token_malformed"),
    ("five parts, as if encrypted", lambda lab: token(es(lab)) + ".AAAA.AAAA", "token_malformed"),
    ("nested", nested, "token_header_not_allowed"),
    ("nested without cty", nested_without_cty, "token_malformed"),
    ("header twice alg", lambda lab: signed(lab, duplicate(forge.header(es(lab)), ', "alg": "ES256"'), claims()), "token_malformed"),
    ("payload twice sub", lambda lab: signed(lab, forge.header(es(lab)), duplicate(claims(sub="agent-writer"), ', "sub": "agent-forged"')), "token_malformed"),
    ("payload twice sub, escaped", lambda lab: signed(lab, forge.header(es(lab)), duplicate(claims(), ', "s\\u0075b": "agent-writer"')), "token_malformed"),
    ("payload a list", lambda lab: signed(lab, forge.header(es(lab)), json.dumps([claims()])), "token_malformed"),
    ("payload not JSON", lambda lab: signed(lab, forge.header(es(lab)), "sub=agent-forged"), "token_malformed"),
    ("payload and more", lambda lab: signed(lab, forge.header(es(lab)), json.dumps(claims()) + "{}"), "token_malformed"),
    ("payload not UTF-8", lambda lab: signed(lab, forge.header(es(lab)), json.dumps(claims()).encode() .replace(b"agent-forged", b"agent-\xff\xfe", 1)),
     "token_malformed"),
    ("payload very deep", lambda lab: signed(lab, forge.header(es(lab)), duplicate(claims(), ', "x": ' + "[" * 3000 + "]" * 3000)), "token_malformed"),
    ("padding", lambda lab: token(es(lab)) + "==", "token_malformed"),
    ("base64 of the other alphabet", lambda lab: tampered(token(es(lab)), 0, lambda text: text[:-1] + "+"), "token_malformed"),
    ("a space in it", lambda lab: tampered(token(es(lab)), 1, lambda text: text[:9] + " " + text[9:]), "token_malformed"),
    ("a line break behind", lambda lab: token(es(lab)) + "\n", "token_malformed"),
    ("huge", lambda lab: token(es(lab), claims(padding="x" * 20000)), "token_too_large"),
    ("a megabyte", lambda lab: "e" * (1 << 20), "token_too_large handshake_malformed"),
]


def attempt(lab, text, user="shop"):
    """Tries to log in; returns the error. Asserts that no connection to the server was opened for it."""
    with lab.server_logins() as logins, pytest.raises(ServerError) as refusal:
        lab.login(user=user, token=text).close()
    assert not logins, "a connection to the server opened for a refused token"
    return refusal.value


def test_the_flawless_token_is_accepted(lab):
    for name in ("es-1", "rs-1", "ps-1", "ed-1"):
        with lab.login(token=token(lab.keys[name])) as session:
            assert session.query("SELECT 'in'") == [[b"in"]]
    with lab.login(token=spiffe(lab)) as session:
        assert session.query("SELECT 'in'") == [[b"in"]]
    with lab.login(token=token(es(lab), claims(nbf=now() + 5, iat=now() + 5, exp=now() + 200))) as session:
        assert session.query("SELECT 'within the skew'")


@pytest.mark.parametrize("name,make,reasons", ATTACKS, ids=[row[0] for row in ATTACKS])
def test_a_forged_token_is_refused(lab, name, make, reasons):
    del name
    text, mark = make(lab), lab.audit_mark()
    error = attempt(lab, text)
    # What no token can be as long as is not read at all, and no login any more.
    assert (error.code, error.state) in [(1045, "28000"), (1043, "08S01")][:2 if len(text) > MESSAGE_BYTES_MAX else 1], error
    record = lab.wait_for_record(mark, type="login_refused")
    assert record["reason"] in reasons.split(), record
    written = json.dumps([one for one in lab.audit(mark)])
    if len(text) > 40:
        assert text[-30:] not in written and text[-30:] not in lab.gateway_log() and text[-30:] not in error.message


def test_an_empty_password_is_refused(lab):
    mark = lab.audit_mark()
    assert attempt(lab, b"").code == 1045
    assert lab.wait_for_record(mark, type="login_refused")["reason"] == "token_missing"


@pytest.mark.parametrize("user,reason", [
    ("nowhere", "connection_not_granted"), ("shop.admin", "connection_not_granted"), ("", "connection_not_granted"),
    ("shop.", "connection_not_granted"), ("SHOP", "connection_not_granted"), ("root", "connection_not_granted"),
    ("shop.reporter.writer", "connection_not_granted"), ("x" * 5000, "connection_not_granted handshake_malformed")])
def test_the_user_name_gives_nothing(lab, user, reason):
    mark = lab.audit_mark()
    error = attempt(lab, lab.token("reporter"), user=user)
    assert error.code in (1045, 1043)
    assert lab.wait_for_record(mark, type="login_refused")["reason"] in reason.split()


def test_without_tls_the_token_is_never_asked_for(lab):
    """Neither by a request for the password nor by a switch of the method, on any listener."""
    mark = lab.audit_mark()
    with lab.server_logins() as logins:
        for name in ("main", "clear", "openid", "dialog"):
            for plugin in ("caching_sha2_password", "mysql_clear_password", "mysql_native_password", "dialog"):
                with Client(lab.listener_port(name)) as client:
                    client.read_greeting()
                    client.send(client.handshake_response("shop", b"\x01" * 20, plugin=plugin))
                    answer = client.receive()
                    assert answer[:1] == b"\xff", f"{name}: {answer[:30]!r} instead of an error"
                    assert "TLS" in answer.decode(errors="replace")
                    with pytest.raises(Closed):
                        client.receive()
    refused = [one for one in lab.audit(mark) if one["type"] == "login_refused"]
    assert len(refused) == 16 and {one["reason"] for one in refused} == {"tls_required"}
    assert not logins


def test_a_token_sent_in_the_clear_is_not_accepted(lab):
    """A client that volunteers its token without TLS gets nothing for it."""
    with Client(lab.port) as client:
        client.read_greeting()
        text = lab.token("reporter")
        client.send(client.handshake_response("shop", text.encode() + b"\0", plugin="mysql_clear_password",
                                              capabilities=USUAL))
        assert client.receive()[:1] == b"\xff"


def test_old_tls_is_refused(lab):
    import ssl
    with Client(lab.port) as client:
        client.read_greeting()
        payload = client.capability_header(USUAL | 1 << 11)
        client.send(payload)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            context.wrap_socket(client.socket)


def test_an_outage_of_the_issuer_is_bridged_by_known_keys(lab):
    lab.login("reporter").close()
    lab.lab("outage", "yes")
    try:
        lab.login("reporter").close()
    finally:
        lab.lab("outage", "no")


def test_a_token_of_a_dropped_key_is_refused(lab):
    """Rotated, no longer published: gone as soon as the gateway knows the newer keys."""
    old = lab.token("reporter", "--ttl", "600")
    lab.login(token=old).close()
    lab.lab("rotate-keys", "--drop-previous")
    lab.login("reporter").close()  # signed with a key not known yet: makes the gateway fetch
    mark = lab.audit_mark()
    assert attempt(lab, old).code == 1045
    assert lab.wait_for_record(mark, type="login_refused")["reason"] == "token_key_unknown"
