"""``python -m flask_activepieces.testing``: runs the stand-in on its own, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from threading import Event

from .standin.server import ActivepiecesServer
from .standin.versions import RELEASES

DEFAULT_PORT = 8080


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal arrives. Exit codes: 0 stopped, 1 the port cannot be used, 2 wrong arguments."""
    options = _parser().parse_args(arguments)
    server = ActivepiecesServer(port=options.port, version=options.version, edition=options.edition)
    try:
        server.start()
    except OSError as error:
        print(
            f"Cannot listen on port {options.port}: {error.strerror}."
            " Choose another port, or any free port with --port 0.",
            file=sys.stderr,
        )
        return 1
    else:
        stopped = Event()
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, lambda *_: stopped.set())
        print(_description(server), flush=True)
        stopped.wait()
    finally:
        server.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m flask_activepieces.testing",
        description="Run a stand-in for Activepieces on loopback, for tests and demos. All data is kept in memory.",
        epilog="Exit codes: 0 stopped by Ctrl-C or SIGTERM, 1 the port cannot be used, 2 wrong arguments.",
    )
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="the port; 0 chooses a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--version",
        choices=list(RELEASES),
        default="0.85",
        help="the version of Activepieces to imitate (default: %(default)s)",
    )
    parser.add_argument(
        "--edition", choices=["ee", "ce"], default="ee", help="Enterprise or Community (default: %(default)s)"
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError("must be a number from 0 to 65535")
    return int(text)


def _description(server: ActivepiecesServer) -> str:
    lines = [
        "A stand-in for Activepieces. This is not Activepieces: put nothing real into it.",
        "",
        f"  URL:      {server.url}",
        f"  E-mail:   {server.email}",
        f"  Password: {server.password}",
        *([f"  API key:  {server.api_key}"] if server.api_key else []),
        f"  Project:  {server.project_id}",
        "",
        "Ctrl-C stops it. The password and all data are new at each start.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
