"""``systemctl`` for a machine without systemd: it starts a service as its unit file says, and reloads nginx."""

from __future__ import annotations

import os
import pwd
import shlex
import socket
import subprocess
import sys
from collections.abc import Sequence
from configparser import ConfigParser, SectionProxy
from pathlib import Path

SECONDS_TO_START = 60


def main(arguments: Sequence[str]) -> None:
    """``enable --now UNIT…`` and ``reload nginx``."""
    if arguments[:2] == ["enable", "--now"]:
        for unit in arguments[2:]:
            start(unit)
    elif arguments == ["reload", "nginx"]:
        subprocess.run(["nginx", "-s", "reload"], check=True)
    else:
        sys.exit(f"This systemctl cannot {' '.join(arguments)}.")


def start(unit: str) -> None:
    """Start the service; with ``Type=notify``, wait until it says that it is ready."""
    parser = ConfigParser(strict=False, interpolation=None)
    parser.read(f"/etc/systemd/system/{unit}.service")
    service = parser["Service"]
    user = pwd.getpwnam(service["User"])
    environment = {"PATH": os.defpath, "HOME": user.pw_dir, "USER": user.pw_name} | variables(service)
    if "RuntimeDirectory" in service:
        directory = Path("/run", service["RuntimeDirectory"])
        directory.mkdir()
        os.chown(directory, user.pw_uid, user.pw_gid)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifications, open(f"/var/log/{unit}.log", "wb") as log:
        if service.get("Type") == "notify":
            notifications.bind(environment.setdefault("NOTIFY_SOCKET", f"/run/{unit}.notify"))
            os.chown(environment["NOTIFY_SOCKET"], user.pw_uid, user.pw_gid)
            notifications.settimeout(SECONDS_TO_START)
        subprocess.Popen(
            shlex.split(service["ExecStart"]),
            cwd=service["WorkingDirectory"],
            env=environment,
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        while "NOTIFY_SOCKET" in environment and b"READY=1" not in notifications.recv(4096):
            pass


def variables(service: SectionProxy) -> dict[str, str]:
    """The variables of the file that the service names."""
    lines = Path(service["EnvironmentFile"]).read_text("utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: shlex.split(value)[0] for name, _, value in pairs}


if __name__ == "__main__":
    main(sys.argv[1:])
