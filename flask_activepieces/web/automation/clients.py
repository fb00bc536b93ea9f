"""The OAuth clients of the workspace: list, show, rotate the secret, suspend, delete."""

from __future__ import annotations

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from ...crypto.keyring import constant_time_equal, context_of, sha256_hex
from ...errors import InvalidInput
from ...host.interface import Principal
from ...oauth.clients.client import OAuthClient
from ...oauth.clients.overview import Order
from ...state import State
from .. import tenant_clients
from ..pages.client_texts import description_of
from ..pages.rendering import see_other
from ..pages.scopes import descriptions
from ..pages.shown_once import ShownOnce
from .area.visit import Visit, automation_page

_PAGE_SIZE = 25
_NEW_SECRET = ShownOnce("activepieces_new_secret", "new client secret")


@automation_page("clients", "admin")
def clients(visit: Visit) -> ResponseReturnValue:
    """The list with users, last use and state."""
    search = request.args.get("search", "").strip()
    order: Order = "newest" if request.args.get("order") == "newest" else "name"
    visible = visit.state.tenants.integrations.visible_to(visit.principal)
    page = visit.state.client_overview.list(
        visit.principal.tenant_id,
        integration_ids=[integration.id for integration in visible],
        search=search or None,
        order=order,
        limit=_PAGE_SIZE,
        cursor=request.args.get("cursor"),
    )
    chosen = (("search", search), ("order", order if order != "name" else ""))
    return visit.render(
        "clients.html",
        rows=page.items,
        page=page,
        filters={name: value for name, value in chosen if value},
        description_of=description_of,
    )


@automation_page("clients", "admin")
def client_show(visit: Visit, client_id: str) -> ResponseReturnValue:
    """One client; with its secret right after it was created."""
    client = get_client(visit, client_id)
    return _NEW_SECRET.forget(show_client(visit, client, secret=_read_secret(visit, client)), path=_path(client))


@automation_page("clients", "admin")
def client_rotate(visit: Visit, client_id: str) -> ResponseReturnValue:
    """Make a new secret; the current one works until the next rotation."""
    client = get_client(visit, client_id)
    try:
        secret = visit.state.oauth_clients.rotate_secret(
            client, expected_version=request.form.get("secret_version", ""), user_id=visit.principal.user_id
        )
    except InvalidInput as problem:
        return show_client(visit, client, problem=problem)
    return redirect_with_secret(visit, client, secret)


@automation_page("clients", "admin")
def client_switch(visit: Visit, client_id: str) -> ResponseReturnValue:
    """Suspend the client, or resume it."""
    client, enabled = get_client(visit, client_id), request.form.get("enabled") == "1"
    try:
        visit.state.oauth_clients.set_enabled(client, enabled, user_id=visit.principal.user_id)
    except InvalidInput as problem:
        return show_client(visit, client, problem=problem)
    done = "client-resumed" if enabled else "client-suspended"
    return visit.redirect("client_show", client_id=client.client_id, done=done)


@automation_page("clients", "admin")
def client_delete(visit: Visit, client_id: str) -> ResponseReturnValue:
    """Delete the client, after a page that says what stops."""
    client = get_client(visit, client_id)
    if request.method == "GET":
        usage = visit.state.client_overview.usage(client, tenant_id=visit.principal.tenant_id)
        return visit.render("client_delete.html", client=client, usage=usage)
    visit.state.oauth_clients.delete(client, user_id=visit.principal.user_id)
    return visit.redirect("clients", done="client-deleted")


def get_client(visit: Visit, client_id: str) -> OAuthClient:
    """The client, if the user may see it."""
    return tenant_clients.get_client(visit.state, visit.principal, client_id)


def redirect_with_secret(visit: Visit, client: OAuthClient, secret: str | None) -> Response:
    """To the client's page, which shows the secret if there is one."""
    path = _path(client)
    if secret is None:
        return see_other(path)
    context = _context(visit.principal, client)
    return _NEW_SECRET.redirect(visit.state, path, {"secret": secret}, context=context, path=path)


def show_client(
    visit: Visit, client: OAuthClient, *, secret: str | None = None, problem: InvalidInput | None = None
) -> Response:
    """The client's page, with its users."""
    tenant_id = visit.principal.tenant_id
    users = visit.state.client_overview.list_users(
        client, tenant_id=tenant_id, limit=_PAGE_SIZE, cursor=request.args.get("cursor")
    )
    user_ids = list(dict.fromkeys(user.user_id for user in users.items))
    return visit.render(
        "client_show.html",
        description_of=description_of,
        problem=problem,
        client=client,
        new_secret=secret,
        endpoints=_endpoints(visit.state),
        permissions=descriptions(visit.state, client.scope),
        usage=visit.state.client_overview.usage(client, tenant_id=tenant_id),
        users=users,
        names=visit.state.host.display_names(user_ids, tenant_id) if user_ids else {},
    )


def _endpoints(state: State) -> dict[str, str]:
    base = state.issuer() + state.settings.oauth_prefix
    return {"authorize": f"{base}/authorize", "token": f"{base}/token"}


def _read_secret(visit: Visit, client: OAuthClient) -> str | None:
    """The secret in this browser's cookie, if it is still the client's."""
    content = _NEW_SECRET.read(visit.state, context=_context(visit.principal, client))
    if content is None or not constant_time_equal(sha256_hex(content["secret"]), client.secret_hash or ""):
        return None
    return str(content["secret"])


def _context(principal: Principal, client: OAuthClient) -> str:
    return context_of(principal.tenant_id, principal.user_id, client.client_id)


def _path(client: OAuthClient) -> str:
    return url_for("activepieces.client_show", client_id=client.client_id)
