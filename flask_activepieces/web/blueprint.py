"""Every route in one table; a blueprint is made from it for each app, so that each has its own prefixes."""

from __future__ import annotations

from flask import Blueprint

from ..config.settings import Settings
from ..oauth.metadata import AUTHORIZATION_SERVER, PROTECTED_RESOURCE
from .api.routes import api_routes
from .oauth import authorize, consent_page
from .oauth import metadata as documents
from .oauth import token_endpoints as machine
from .pages import connected_apps
from .pages import oauth_clients as client_pages
from .routes import NAME, Route, View

#: What a machine endpoint must answer itself, to say in its own format that it takes POST only.
_ANY = ("GET", "POST", "PUT", "PATCH", "DELETE")


def routes(settings: Settings) -> list[Route]:
    """The routes of one app."""
    oauth = settings.oauth_prefix
    get, post = ("GET",), ("POST",)
    return [
        Route(f"{oauth}/authorize", "authorize", get, authorize.authorize),
        Route(f"{oauth}/authorize", "decide", post, consent_page.decide),
        Route(
            f"{oauth}/authorize/request/<request_id>",
            "describe_request",
            get,
            consent_page.describe_request,
        ),
        Route(f"{oauth}/token", "token", _ANY, machine.token, guards_itself=True),
        Route(f"{oauth}/revoke", "revoke", _ANY, machine.revoke, guards_itself=True),
        Route(f"{oauth}/introspect", "introspect", _ANY, machine.introspect, guards_itself=True),
        Route(f"{oauth}/jwks.json", "jwks", get, documents.jwks),
        *_well_known(
            AUTHORIZATION_SERVER,
            "authorization_server_metadata",
            documents.authorization_server_metadata,
        ),
        *_well_known(
            PROTECTED_RESOURCE, "protected_resource_metadata", documents.protected_resource_metadata
        ),
        Route(f"{oauth}/connected-apps", "connected_apps", get, connected_apps.connected_apps),
        Route(
            f"{oauth}/connected-apps/<grant_id>/disconnect",
            "disconnect",
            post,
            connected_apps.disconnect,
        ),
        Route(f"{oauth}/clients", "clients", get, client_pages.client_list),
        Route(f"{oauth}/clients/new", "client_new", get + post, client_pages.client_new),
        Route(f"{oauth}/clients/<client_id>", "client_show", get, client_pages.client_show),
        Route(
            f"{oauth}/clients/<client_id>/rotate", "client_rotate", post, client_pages.client_rotate
        ),
        Route(
            f"{oauth}/clients/<client_id>/delete", "client_delete", post, client_pages.client_delete
        ),
        *api_routes(settings.url_prefix),
    ]


def build_blueprint(settings: Settings) -> Blueprint:
    """The blueprint of one app, with our templates and stylesheet."""
    blueprint = Blueprint(
        NAME,
        "flask_activepieces",
        template_folder="templates",
        static_folder="static",
        static_url_path=f"{settings.oauth_prefix}/static",
    )
    for route in routes(settings):
        blueprint.add_url_rule(route.rule, route.endpoint, route.view, methods=list(route.methods))
    return blueprint


def _well_known(name: str, endpoint: str, view: View) -> list[Route]:
    # RFC 8414 §3.1, RFC 9728 §3.1: where the issuer or the resource has a path, it stands behind.
    rule = f"/.well-known/{name}"
    return [
        Route(rule, endpoint, ("GET",), view),
        Route(f"{rule}/<path:path>", f"{endpoint}_at_path", ("GET",), view),
    ]
