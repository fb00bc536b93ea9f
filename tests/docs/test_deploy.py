"""The files on the page about deployment are valid, and work together: nginx, gunicorn and the app."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import click
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from flask_activepieces.cli import activepieces_cli
from tests.support import hosts
from tests.support.documents import DOCS, ROOT, files, page
from tests.support.page_runner import write_files
from tests.support.ports import free_port
from tests.support.requirements import require

SITE = "https://app.example.com"
FILES = files(page("deploy"))
UNITS = {name: content for name, content in FILES.items() if name.endswith(".service")}
NGINX = "/etc/nginx/conf.d/shop.conf"
SECONDS_TO_START = 30

#: The settings of Activepieces that we know from its documentation or its behavior.
OF_ACTIVEPIECES = {
    "AP_ALLOWED_EMBED_ORIGINS",
    "AP_ENCRYPTION_KEY",
    "AP_ENVIRONMENT",
    "AP_EXECUTION_MODE",
    "AP_FRONTEND_URL",
    "AP_NETWORK_MODE",
    "AP_SSRF_ALLOW_LIST",
    "AP_WEBHOOK_TIMEOUT_SECONDS",
}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the files of the page and the app, as the root of a machine."""
    monkeypatch.chdir(tmp_path)
    write_files(DOCS / "existing-app.md")
    write_files(DOCS / "deploy.md")
    return tmp_path


def environment(machine: Path) -> dict[str, str]:
    """The variables of a process of the app: those of the page's file, with real keys and another database."""
    from_file = dict(
        (name, shlex.split(value)[0])
        for name, _, value in (line.partition("=") for line in FILES["/etc/shop.env"].splitlines()[1:])
    )
    real = {
        "FLASK_SECRET_KEY": hosts.SECRET_KEY,
        "ACTIVEPIECES_SECRET_KEYS": f'["{hosts.SECRET_KEY}"]',
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{machine}/shop.sqlite",
    }
    assert real.keys() < from_file.keys()
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **from_file, **real}


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_systemd_accepts_the_units(unit: str, machine: Path) -> None:
    verifier = shutil.which("systemd-analyze")
    if verifier is None:
        pytest.skip("needs systemd-analyze")
    target = machine / Path(unit).name
    # A program and an account that exist on this machine.
    content = re.sub(r"^ExecStart=.*$", "ExecStart=/bin/true", UNITS[unit], flags=re.MULTILINE)
    target.write_text(content.replace("User=shop", "User=root"), "utf-8")

    checked = subprocess.run([verifier, "verify", str(target)], capture_output=True, text=True, check=False)

    assert [line for line in checked.stderr.splitlines() if target.name in line] == []


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_the_units_use_the_files_of_the_page(unit: str) -> None:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNITS[unit])
    service = parser["Service"]

    assert service["EnvironmentFile"] in FILES
    assert service["ExecStart"].startswith(f"{service['WorkingDirectory']}/.venv/bin/")
    assert service["WorkingDirectory"] in FILES["/usr/local/bin/shop"]


def test_the_worker_and_the_jobs_run_existing_commands() -> None:
    worker = FILES["/etc/systemd/system/shop-worker.service"]
    lines = [*re.findall(r"^ExecStart=(.*)$", worker, re.MULTILINE), *FILES["/etc/cron.d/shop"].splitlines()[1:]]

    assert len(lines) == 5
    for line in lines:
        arguments = shlex.split(line.partition(" activepieces ")[2])
        command: click.Command = activepieces_cli
        while isinstance(command, click.Group):
            command = command.commands[arguments.pop(0)]
        command.make_context(command.name, arguments)


def test_the_shell_reads_the_settings_as_systemd_does(machine: Path) -> None:
    command = f"set -a; . {machine}/etc/shop.env; env -0"
    result = subprocess.run(["sh", "-c", command], env={}, capture_output=True, text=True, check=True)
    from_shell = dict(line.split("=", 1) for line in result.stdout.split("\0") if line)

    assert from_shell["ACTIVEPIECES_SECRET_KEYS"] == '["64 other hexadecimal digits"]'
    assert from_shell["SQLALCHEMY_DATABASE_URI"] == "postgresql+psycopg:///shop?host=/run/postgresql"


def test_the_settings_of_activepieces_are_known_ones() -> None:
    named = {name for path in DOCS.glob("*.md") for name in re.findall(r"\bAP_[A-Z_]+\b", path.read_text("utf-8"))}

    assert named <= OF_ACTIVEPIECES


def test_the_app_waits_for_activepieces_less_long_than_nginx_waits_for_the_app() -> None:
    (seconds,) = re.findall(r"proxy_read_timeout (\d+)s;", FILES[NGINX])

    # The default of ACTIVEPIECES_TIMEOUT, and the wait for another request that saves the same connection.
    assert int(seconds) > 30 + 20


# nginx, gunicorn and the app


def write_certificate(directory: Path) -> None:
    """A certificate for the site, and its key, at the paths of the page's configuration."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "app.example.com")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("app.example.com")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    directory.mkdir(parents=True)
    (directory / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def nginx_command(machine: Path, *, port: int = 443, plain_port: int = 80) -> list[str]:
    """nginx with the page's configuration, whose paths and ports are those of this test."""
    certificates = machine / "etc/letsencrypt/live/app.example.com"
    write_certificate(certificates)
    site = FILES[NGINX].replace("/etc/letsencrypt/live/app.example.com", str(certificates))
    site = site.replace("unix:/run/shop/web.sock", f"unix:{machine}/web.sock")
    site = site.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl").replace(
        "listen 80", f"listen 127.0.0.1:{plain_port}"
    )
    folders = "".join(
        f"{kind}_temp_path {machine}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = machine / "nginx.conf"
    config.write_text(
        # The account of the tests, because others may not read their directory; without root, it is ignored.
        f"user root; daemon off; pid {machine}/nginx.pid; error_log {machine}/error.log; events {{}}"
        f" http {{ access_log off; {folders} {site} }}",
        "utf-8",
    )
    return [require("nginx"), "-p", str(machine), "-c", str(config)]


def test_nginx_accepts_the_configuration(machine: Path) -> None:
    checked = subprocess.run([*nginx_command(machine), "-t"], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stderr


@contextmanager
def running(command: list[str], machine: Path, is_ready: Path) -> Iterator[None]:
    """Run a server until the block ends; it is ready when a path exists."""
    with (machine / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=machine, env=environment(machine), stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + SECONDS_TO_START
        while not is_ready.exists():
            assert process.poll() is None, (machine / "log").read_text("utf-8")
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def url(machine: Path) -> Iterator[str]:
    """The app behind nginx and gunicorn; ``/probe`` returns the client's address as the app sees it."""
    (machine / "probe.py").write_text(
        "from flask import request\nfrom wsgi import app\n"
        "with app.app_context(): app.extensions['sqlalchemy'].create_all()\n"
        "app.add_url_rule('/probe', view_func=lambda: [request.remote_addr, request.url, request.is_secure])\n",
        "utf-8",
    )
    port = free_port()
    gunicorn = [sys.executable, "-m", "gunicorn", "--bind", f"unix:{machine}/web.sock", "--workers", "1", "probe:app"]
    nginx = nginx_command(machine, port=port, plain_port=free_port())
    with running(gunicorn, machine, machine / "web.sock"), running(nginx, machine, machine / "nginx.pid"):
        yield f"https://127.0.0.1:{port}"


def get(url: str, **headers: str) -> requests.Response:
    """Without a check of the certificate, which is the test's own."""
    with requests.Session() as session:
        session.trust_env = False
        return session.get(
            url, headers={"Host": "app.example.com", **headers}, verify=False, allow_redirects=False, timeout=30
        )


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_requests_arrive_with_the_clients_address_and_the_public_url(url: str) -> None:
    probe = get(f"{url}/probe", **{"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.test"}).json()
    metadata = get(f"{url}/.well-known/oauth-authorization-server").json()
    page_for_users = get(f"{url}/oauth/connected-apps")
    login = get(url + page_for_users.headers["Location"])
    refused = get(f"{url}/api/orders", Authorization="Bearer forged")

    assert probe == ["127.0.0.1", f"{SITE}/probe", True]
    assert metadata["issuer"] == SITE
    assert page_for_users.headers["Location"] == "/login?next=%2Foauth%2Fconnected-apps"
    assert "; Secure;" in login.headers["Set-Cookie"]
    # nginx passes the Authorization header.
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
