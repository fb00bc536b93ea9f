"""What the terminal prints at the start: addresses, logins, and what to try."""

from __future__ import annotations

from .seed import DEMO_PASSWORD, DEMO_USERS


def welcome(url: str) -> str:
    """The addresses and logins of the demo."""
    lines = [
        "Tasklane, the example app of flask-activepieces",
        "",
        f"  Tasks           {url}/",
        f"  Connected apps  {url}/oauth/connected-apps",
        f"  Automation      {url}/automation (admins)",
        f"  OAuth clients   {url}/automation/clients (admins)",
        f"  Builder         {url}/builder (admins): that of Activepieces, on a page of this app",
        f"  Agents          {url}/mcp (for Claude, ChatGPT, Cursor and other MCP clients)",
        "",
        f"  Sign in with the password '{DEMO_PASSWORD}' as",
    ]
    lines += [f"    {user.email:<18} {user.summary}" for user in DEMO_USERS]
    return "\n".join([*lines, ""])


def suggestions(
    url: str,
    activepieces: str,
    *,
    api_key: str,
    email: str,
    password: str,
    integration_id: str,
    flow_id: str,
    project_id: str,
) -> str:
    """What to try with Tasklane and Activepieces."""
    return f"""\
A stand-in for Activepieces runs at {activepieces}/. It has the API, and one page with an overview.
Acme is linked with it, and has a flow that creates a task from each request to its webhook.

  1. Let the flow add a task, and see it in the list of admin@acme.test:

       curl {activepieces}/api/v1/webhooks/{flow_id}/sync \\
         -H 'Content-Type: application/json' -d '{{"title": "Made by a flow"}}'

  2. As admin@acme.test, open Connected apps and disconnect Activepieces. The same call no longer adds a task:
     it returns an empty response after 5 seconds. Automation says that a connection is broken.
  3. Press "Reconnect" there: the flow works again.
  4. Connect from Activepieces, as its users do. As admin@acme.test, open OAuth clients in Automation and register
     the client for Activepieces, as the form suggests. Then open {activepieces}/, keep the project Acme, enter the
     address {url} and the client's id and secret, and approve.
  5. As admin@globex.test, open Automation and connect Globex with the key of the stand-in:

       {api_key}

  6. Call the JSON API as admin@acme.test:

       API={url}/api/integration/activepieces
       curl -c cookies -d 'email=admin@acme.test&password={DEMO_PASSWORD}' {url}/login
       curl -b cookies $API/setup
       curl -b cookies $API/connections/{integration_id}
       curl -b cookies $API/connection -H 'Content-Type: application/json' \\
         -d '{{"accessToken": "a token of the page Connected apps", "pieceName": "@tasklane/piece-tasklane"}}'
       curl -b cookies $API/openapi.json

  7. Call Activepieces itself:

       curl '{activepieces}/api/v1/app-connections?projectId={project_id}' \\
         -H 'Authorization: Bearer {api_key}'

     Its admin is {email} with the password {password}

  8. In another terminal, run the extension's commands on the demo's database:

       .venv/bin/flask --app example_app.demo activepieces grants list
       .venv/bin/flask --app example_app.demo activepieces integrations check

  9. Let an agent add tasks. Its user signs in on a page of Tasklane, and chooses what it may do:

       Claude Code  claude mcp add --transport http tasklane {url}/mcp
       VS Code      code --add-mcp '{{"name": "tasklane", "type": "http", "url": "{url}/mcp"}}'
       Cursor       in ~/.cursor/mcp.json: {{"mcpServers": {{"tasklane": {{"url": "{url}/mcp"}}}}}}
       others       npx mcp-remote {url}/mcp

     Claude and ChatGPT on the web connect to an address on the internet only. An agent without a sign-in takes a
     token of the page Connected apps: claude mcp add … --header "Authorization: Bearer THE-TOKEN"

 10. Now edit this action and see it change. In example_app/api.py, give create_task a title, and below the line that
     begins with "values =" let it change the task:

       @activepieces.action("create_task", title="Add a task", …)
       values["title"] += "!"

     In another terminal, compare it with the installed piece, and install the new version:

       export PIECE_INSTALL_TOKEN={api_key}
       .venv/bin/flask --app example_app.demo activepieces piece diff
       .venv/bin/flask --app example_app.demo activepieces piece install

     Then start the demo again, and repeat 1: the new task ends with an exclamation mark.

Ctrl-C stops both. Their data is in instance/demo.
"""
