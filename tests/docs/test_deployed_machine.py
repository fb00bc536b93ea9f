"""The page about deployment, on a machine: every file in its place, and every command as printed.

PostgreSQL and nginx are installed and running there, as they are on Debian after the page's `apt-get install`. In
place of systemd, a script starts the units of the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.test_deploy import SITE, write_certificate
from tests.support import hosts, systemctl
from tests.support.documents import DOCS, files, page, prose
from tests.support.installation import copy_package
from tests.support.machines import ADDRESS, Machine, machine
from tests.support.requirements import require
from tests.support.terminals import Terminals, terminals
from tests.support.typed_pages import TypedPage, typed_page, write_curlrc

PAGE = page("deploy")
APP = Path("srv/shop")
CERTIFICATES = Path("etc/letsencrypt/live/app.example.com")
#: What the packages of PostgreSQL and nginx do when they are installed.
AS_INSTALLED = """
rm -rf /etc/postgresql/*/* /var/lib/postgresql/*/*
pg_createcluster "$(ls /usr/lib/postgresql | tail -n 1)" main --start
rm -f /etc/nginx/conf.d/*
nginx
"""
#: These lines need the internet.
INSTALLATION = r"(apt-get|\S*pip) install "
#: The commands in the text of the page, about files that it has just shown.
IN_PROSE = re.findall(r"`((?:chmod|chown|shop) [^`]+)`", prose(PAGE).partition("## The web server")[0])

pytestmark = [pytest.mark.long, pytest.mark.postgres]


class DeployPage(TypedPage):
    """The page, whose module and whose configuration of gunicorn belong to the app."""

    def place(self, name: str) -> Path:
        return self.terminals.folder / (name.lstrip("/") if name.startswith("/") else APP / name)


@pytest.fixture
def shop_machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine with a checkout of the package."""
    unshare = require("unshare")
    require("nginx")
    require("postgres")
    (tmp_path / "machine").mkdir()
    with machine(tmp_path / "machine", unshare) as started:
        copy_package(started.root / "srv" / "flask-activepieces")
        script = started.root / "usr/local/bin/systemctl"
        script.write_text(f"#!/usr/bin/python3\n{Path(systemctl.__file__).read_text('utf-8')}", "utf-8")
        script.chmod(0o755)
        write_certificate(started.root / CERTIFICATES)
        with (started.root / "etc/hosts").open("a", encoding="utf-8") as names:
            names.write(f"\n{ADDRESS} app.example.com\n")
        yield started


@pytest.fixture
def root(shop_machine: Machine, tmp_path: Path) -> Iterator[Terminals]:
    """Terminals of root on the machine."""
    with (write_curlrc(tmp_path) / ".curlrc").open("a", encoding="utf-8") as curlrc:
        # nginx has not finished when `systemctl reload` ends.
        curlrc.write(f"cacert = /{CERTIFICATES}/fullchain.pem\nretry = 5\nretry-connrefused\n")
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    with terminals(
        shop_machine.root, logs=tmp_path, PATH=path, LANG="C.UTF-8", HOME="/root", CURL_HOME=str(tmp_path)
    ) as opened:
        opened.enter = shop_machine.enter
        opened.types(f"{{ {AS_INSTALLED} }} > /dev/null 2>&1\ncd /srv")
        yield opened


def test_the_page_deploys_the_app(shop_machine: Machine, root: Terminals) -> None:
    online = Terminals(root.folder, root.logs, root.environment, shop_machine.enter_with_internet)
    with typed_page(DeployPage(DOCS / "deploy.md", root, {INSTALLATION: online})) as typed:
        typed.names.clear()  # the names of the page are those of the machine
        typed.types_next(to="adduser")

        typed.saves()
        put_app(shop_machine.root / APP)
        fill_in_keys(shop_machine.root / "etc/shop.env")
        online.types("/srv/shop/.venv/bin/pip install flask-migrate flask-wtf")
        for command in IN_PROSE:
            root.types(command)
        # The migrations are a part of the app.
        root.types("shop db init\nshop db migrate")

        *_, metadata = typed.types_next(to="systemctl")
        assert json.loads(metadata)["issuer"] == SITE

        root.types(f"export REQUESTS_CA_BUNDLE=/{CERTIFICATES}/fullchain.pem")
        created, diagnosis = typed.types_next(to="doctor")
        assert "Registered Activepieces." in created
        assert diagnosis == "No problems found.\n"

        for job in re.findall(r"root  (.+)$", files(PAGE)["/etc/cron.d/shop"], re.M):
            root.types(f"env --ignore-environment PATH=/usr/bin:/bin sh -c '{job}'")  # as cron does
        assert "Delivering events" in (shop_machine.root / "var/log/shop-worker.log").read_text("utf-8")


def put_app(folder: Path) -> None:
    """Put the app of the page "Add it to an existing app" there."""
    for name, content in files(page("existing-app")).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, "utf-8")


def fill_in_keys(settings: Path) -> None:
    """Replace what the page says in place of keys."""
    content, count = re.subn(r"64 (other )?hexadecimal digits", hosts.SECRET_KEY, settings.read_text("utf-8"))
    assert count == 2
    settings.write_text(content, "utf-8")
