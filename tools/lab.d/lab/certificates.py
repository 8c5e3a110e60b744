"""A certificate authority for one lab, and the certificates of its server and its gateway."""

import subprocess

from lab import Failure

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"


def openssl(*arguments):
    try:
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Failure("openssl is missing. Run tools/install-deps.") from None
    if done.returncode != 0:
        raise Failure(f"openssl {arguments[0]} failed:\n{done.stderr}")


def make_key(path):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    path.chmod(0o600)


def make(directory):
    """Leaves ca.pem, ca-key.pem, and NAME.pem with NAME-key.pem for server and gateway in the directory."""
    directory.mkdir()
    authority, authority_key = directory / "ca.pem", directory / "ca-key.pem"
    make_key(authority_key)
    openssl("req", "-x509", "-new", "-key", authority_key, "-subj", "/CN=Sallyport lab CA", "-days", "30",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-out", authority)
    for name in ("server", "gateway"):
        key, request, extensions = (directory / f"{name}{suffix}" for suffix in ("-key.pem", ".csr", ".ext"))
        make_key(key)
        openssl("req", "-new", "-key", key, "-subj", f"/CN=Sallyport lab {name}", "-out", request)
        extensions.write_text(f"{NAMES}\nextendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=CA:FALSE\n")
        openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority_key, "-CAcreateserial",
                "-days", "30", "-extfile", extensions, "-out", directory / f"{name}.pem")
        request.unlink()
        extensions.unlink()
