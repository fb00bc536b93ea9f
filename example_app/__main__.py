"""``python -m example_app --port 5000``: the demo on this machine, nothing to set up."""

from __future__ import annotations

import argparse
import sys

from werkzeug.serving import run_simple

from flask_activepieces import ActivepiecesError
from flask_activepieces.errors import SetupError

from . import create_app
from .check import check
from .check.report import Surprise
from .demo import demo
from .serving import PortInUse
from .welcome import welcome


def main() -> int:
    """Tasklane, the example app of flask-activepieces: its tables and demo data are made where missing."""
    arguments = arguments_of(sys.argv[1:])
    host, port = arguments.host, arguments.port
    if arguments.check:
        return 0 if check(host=host, port=port or 0) else 1
    if arguments.demo:
        return run_demo(host, port or 5000, arguments.activepieces_port)
    try:
        app = create_app()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    print(welcome(f"http://{host}:{port or 5000}"), flush=True)
    run_simple(host, port or 5000, app, threaded=True)
    return 0


def arguments_of(words: list[str]) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m example_app", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, help="port to listen on (5000; for --check a free one)")
    parser.add_argument(
        "--activepieces-port",
        type=int,
        default=8080,
        metavar="PORT",
        help="port of the Activepieces of --demo (%(default)s)",
    )
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--demo", action="store_true", help="serve a small Activepieces, too")
    modes.add_argument(
        "--check", action="store_true", help="walk the whole loop with Activepieces, and end"
    )
    return parser.parse_args(words)


def run_demo(host: str, port: int, activepieces_port: int) -> int:
    """The exit status of the demo."""
    try:
        demo(host=host, port=port, activepieces_port=activepieces_port)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except (Surprise, ActivepiecesError) as error:
        print(f"The demo cannot be linked: {error}", file=sys.stderr)
        return 1
    except PortInUse as error:
        option = "--port" if error.port == port else "--activepieces-port"
        remedy = f'Stop it, or choose another: make demo ARGS="{option} {error.port + 1}"'
        print(f"{error} {remedy}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
