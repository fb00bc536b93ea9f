"""``python -m example_app --port 5000``: run the example app on this machine. It needs no configuration."""

from __future__ import annotations

import argparse
import sys

from werkzeug.serving import run_simple

from flask_activepieces import ActivepiecesError
from flask_activepieces.errors import SetupError

from . import create_app
from .check import check
from .check.report import CheckFailed
from .demo import serve_demo
from .serving import PortInUse
from .welcome import welcome


def main() -> int:
    """Run Tasklane, the example app of flask-activepieces. It creates missing tables and demo data."""
    options = parse_arguments(sys.argv[1:])
    host, port = options.host, 5000 if options.port is None else options.port
    if options.check:
        return 0 if check(host=host, port=options.port or 0) else 1
    if options.demo:
        return run_demo(host, port, options.activepieces_port)
    try:
        app = create_app()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    print(welcome(f"http://{host}:{port}"), flush=True)
    run_simple(host, port, app, threaded=True)
    return 0


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m example_app", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, help="port to listen on (5000; a free one for --check)")
    parser.add_argument(
        "--activepieces-port",
        type=int,
        default=8080,
        metavar="PORT",
        help="port of the stand-in for Activepieces with --demo (%(default)s)",
    )
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--demo", action="store_true", help="also run a stand-in for Activepieces, linked")
    modes.add_argument("--check", action="store_true", help="run the demo's scenario unattended, then exit")
    return parser.parse_args(arguments)


def run_demo(host: str, port: int, activepieces_port: int) -> int:
    """Run the demo until Ctrl-C; returns the exit status."""
    try:
        serve_demo(host=host, port=port, activepieces_port=activepieces_port)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except (CheckFailed, ActivepiecesError) as error:
        print(f"The demo cannot be linked: {error}", file=sys.stderr)
        return 1
    except PortInUse as error:
        option = "--port" if error.port == port else "--activepieces-port"
        remedy = f'Stop it, or use another port: make demo ARGS="{option} {error.port + 1}"'
        print(f"{error} {remedy}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
