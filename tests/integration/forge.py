"""Tokens made by hand, right and wrong, and the keys of issuers that the tests play themselves."""

import base64
import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://forge.example.org"


def b64(data):
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value):
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Key:
    """A key pair with its JWK form. `kid` names it; `extra` are further members of the published JWK."""

    def __init__(self, algorithm, kid, private=None, **extra):
        self.algorithm, self.kid, self.extra = algorithm, kid, extra
        self.private = private or self.generate(algorithm)

    @staticmethod
    def generate(algorithm):
        if algorithm.startswith("ES"):
            return ec.generate_private_key({"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1()}[algorithm])
        if algorithm == "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
        return rsa.generate_private_key(65537, 2048)

    @classmethod
    def from_jwk(cls, jwk):
        """A private key as the lab's provider keeps it."""
        def value(name):
            return int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "=="), "big")

        if jwk["kty"] == "EC":
            private = ec.derive_private_key(value("d"), ec.SECP256R1())
        elif jwk["kty"] == "OKP":
            private = ed25519.Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(jwk["d"] + "=="))
        else:
            public = rsa.RSAPublicNumbers(value("e"), value("n"))
            private = rsa.RSAPrivateNumbers(value("p"), value("q"), value("d"), value("dp"), value("dq"), value("qi"),
                                            public).private_key()
        return cls(jwk["alg"], jwk["kid"], private)

    def public_pem(self):
        return self.private.public_key().public_bytes(serialization.Encoding.PEM,
                                                      serialization.PublicFormat.SubjectPublicKeyInfo)

    def jwk(self):
        public = self.private.public_key()
        base = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if isinstance(public, rsa.RSAPublicKey):
            numbers = public.public_numbers()
            base |= {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        elif isinstance(public, ed25519.Ed25519PublicKey):
            raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            base |= {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
        else:
            numbers, size = public.public_numbers(), (public.key_size + 7) // 8
            base |= {"kty": "EC", "crv": "P-256" if size == 32 else "P-384", "x": b64(numbers.x.to_bytes(size, "big")),
                     "y": b64(numbers.y.to_bytes(size, "big"))}
        return {name: value for name, value in (base | self.extra).items() if value is not None}

    def sign(self, data, algorithm=None):
        algorithm = algorithm or self.algorithm
        digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}.get(algorithm[2:])
        if algorithm == "EdDSA":
            return self.private.sign(data)
        if algorithm.startswith("ES"):
            size = (self.private.key_size + 7) // 8
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(digest)))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        if algorithm.startswith("PS"):
            return self.private.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        return self.private.sign(data, padding.PKCS1v15(), digest)


def claims(**changes):
    """The claims of a token that is accepted; None takes a claim away."""
    now = int(time.time())
    base = {"iss": ISSUER, "sub": "agent-forged", "client_id": "agent-forged", "aud": "sallyport", "iat": now, "exp": now + 300,
            "jti": hashlib.sha256(str(time.time_ns()).encode()).hexdigest()[:16]}
    return {name: value for name, value in (base | changes).items() if value is not None}


def header(key, **changes):
    base = {"alg": key.algorithm, "typ": "at+jwt", "kid": key.kid}
    return {name: value for name, value in (base | changes).items() if value is not None}


def compact(head, body, sign):
    """Signs texts as they are (a dict is made JSON), so that a test can also sign what no library would."""
    head = head if isinstance(head, (str, bytes)) else json.dumps(head)
    body = body if isinstance(body, (str, bytes)) else json.dumps(body)
    text = f"{b64(head)}.{b64(body)}"
    return f"{text}.{b64(sign(text.encode()))}"


def token(key, body=None, **header_changes):
    head = header(key, **header_changes)
    algorithm = head.get("alg") if head.get("alg") in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512") else None
    return compact(head, claims() if body is None else body, lambda text: key.sign(text, algorithm))


def with_hmac(secret, head, body):
    return compact(head, body, lambda text: hmac.new(secret, text, hashlib.sha256).digest())
