"""``python -m example_app --port 5000``: the demo on this machine, nothing to set up."""

from __future__ import annotations

import argparse

from werkzeug.serving import run_simple

from . import create_app
from .seed import DEMO_PASSWORD, DEMO_USERS


def main() -> None:
    """Make the tables and the demo data where they are missing, say where to go, and serve."""
    parser = argparse.ArgumentParser(prog="python -m example_app", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", default=5000, type=int, help="port to listen on (%(default)s)")
    arguments = parser.parse_args()

    app = create_app()
    print(welcome(f"http://{arguments.host}:{arguments.port}"), flush=True)
    run_simple(arguments.host, arguments.port, app, threaded=True)


def welcome(url: str) -> str:
    """The addresses and logins of the demo, to be printed."""
    lines = [
        "Tasklane, the example app of flask-activepieces",
        "",
        f"  Tasks           {url}/",
        f"  Connected apps  {url}/oauth/connected-apps",
        f"  OAuth clients   {url}/oauth/clients (admins)",
        "",
        f"  Sign in with the password '{DEMO_PASSWORD}' as",
    ]
    lines += [f"    {user.email:<18} {user.summary}" for user in DEMO_USERS]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
