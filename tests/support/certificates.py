"""A certificate authority for tests, and certificates for servers on loopback that pretend to be others."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


@cache
def _authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of these tests")])
    certificate = (
        _builder(name, name, key, datetime.now(timezone.utc) - _DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def trusting_context() -> ssl.SSLContext:
    """What a client uses that trusts the authority, and no other."""
    _, certificate = _authority()
    context = ssl.create_default_context(cadata=certificate.public_bytes(serialization.Encoding.PEM).decode())
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


@cache
def server_context(*hosts: str, is_expired: bool = False, is_trusted: bool = True) -> ssl.SSLContext:
    """What a server uses that has a certificate for these hosts."""
    authority_key, authority = _authority()
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    start = datetime.now(timezone.utc) - (10 * _DAY if is_expired else _DAY)
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    issuer, signing_key = (authority.subject, authority_key) if is_trusted else (subject, key)
    certificate = (
        _builder(subject, issuer, key, start).add_extension(names, critical=False).sign(signing_key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as directory:
        file = Path(directory, "server.pem")
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context.load_cert_chain(file)
    return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, start: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + 2 * _DAY)
    )
