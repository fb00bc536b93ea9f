"""All routes, and the blueprint that is made from them for each app, so that each has its own prefixes."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint
from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader

from ..config.settings import Settings
from ..oauth.metadata import AUTHORIZATION_SERVER, PROTECTED_RESOURCE
from .api.routes import api_routes
from .automation.area.visit import area_navigation
from .automation.routes import automation_routes
from .error_responses import with_server_errors
from .mcp import endpoint
from .oauth import authorize, metadata, probe, registration, token_endpoints
from .oauth.cors import for_any_origin
from .oauth.hand_off import sign_in_for
from .pages import connected_apps, personal_tokens
from .pages.brand import STYLE_SHEET, has_colors, style_sheet
from .pages.i18n import gettext
from .piece.routes import piece_routes
from .routes import NAME, Route

_GET = ("GET",)
_POST = ("POST",)
#: A token endpoint answers the other methods itself, because its errors have their own format.
_ANY = ("GET", "POST", "PUT", "PATCH", "DELETE")

#: Pages and documents, relative to the prefix of the OAuth routes.
_PAGES = (
    Route("/authorize", "authorize", _GET, authorize.authorize),
    Route("/authorize", "decide", _POST, authorize.decide),
    Route("/authorize/request/<request_id>", "describe_request", _GET, authorize.describe_request),
    for_any_origin(Route("/jwks.json", "jwks", _GET, metadata.jwks)),
    Route("/probe", "probe", _GET, probe.probe),
    Route("/connected-apps", "connected_apps", _GET, connected_apps.connected_apps),
    Route("/connected-apps/<grant_id>/disconnect", "disconnect", _POST, connected_apps.disconnect),
    Route("/personal-tokens/new", "personal_token_new", _GET + _POST, personal_tokens.personal_token_new),
    Route(
        "/personal-tokens/<token_id>/revoke", "personal_token_revoke", _POST, personal_tokens.personal_token_revoke
    ),
)
_TOKEN_ENDPOINTS = (
    for_any_origin(Route("/token", "token", _ANY, token_endpoints.token, csrf_exempt=True)),
    for_any_origin(Route("/revoke", "revoke", _ANY, token_endpoints.revoke, csrf_exempt=True)),
    Route("/introspect", "introspect", _ANY, with_server_errors(token_endpoints.introspect), csrf_exempt=True),
)
_REGISTRATION = tuple(
    for_any_origin(Route(rule, view.__name__, (method,), view, csrf_exempt=True))
    for method, rule, view in (
        ("POST", "/register", registration.register),
        ("GET", "/register/<client_id>", registration.show_registration),
        ("DELETE", "/register/<client_id>", registration.delete_registration),
    )
)
#: RFC 8414 §3.1, RFC 9728 §3.1: the path of an issuer or a resource follows the name of the document.
_WELL_KNOWN = tuple(
    for_any_origin(Route(f"/.well-known/{name}{path}", f"{view.__name__}{suffix}", _GET, view))
    for name, view in (
        (AUTHORIZATION_SERVER, metadata.authorization_server_metadata),
        (PROTECTED_RESOURCE, metadata.protected_resource_metadata),
    )
    for path, suffix in (("", ""), ("/<path:path>", "_at_path"))
)


def routes(settings: Settings) -> list[Route]:
    """The routes of one app."""
    oauth = [
        route._replace(rule=f"{settings.oauth_prefix}{route.rule}")
        for route in (*_PAGES, *_TOKEN_ENDPOINTS, *_REGISTRATION)
    ]
    # In place of the static file.
    brand_styles = Route(f"{settings.oauth_prefix}/static/{STYLE_SHEET}", "style_sheet", _GET, style_sheet)
    agents = Route(settings.mcp_path, "mcp", (*_ANY, "OPTIONS"), endpoint.mcp, csrf_exempt=True)
    return [
        *oauth,
        *([brand_styles] if has_colors(settings) else []),
        *_WELL_KNOWN,
        # If it is off, the app may have a route of its own there.
        *([] if settings.mcp_enabled is False else [agents]),
        *automation_routes(settings),
        *api_routes(settings.url_prefix),
        *piece_routes(settings.url_prefix),
    ]


def build_blueprint(settings: Settings) -> Blueprint:
    """The blueprint of one app, with our templates and style sheet."""
    blueprint = Blueprint(
        NAME,
        "flask_activepieces",
        template_folder="templates",
        static_folder="static",
        static_url_path=f"{settings.oauth_prefix}/static",
    )
    # A host's template of the same name wins; it extends ours under the name that begins with "original/".
    templates = FileSystemLoader(Path(blueprint.root_path) / "templates")
    blueprint.jinja_loader = ChoiceLoader([templates, PrefixLoader({"original": templates})])
    blueprint.add_app_template_global(area_navigation, "activepieces_navigation")
    blueprint.add_app_template_global(sign_in_for, "activepieces_sign_in_for")
    for route in routes(settings):
        blueprint.add_url_rule(route.rule, route.endpoint, route.view, methods=list(route.methods))
    blueprint.add_app_template_global(gettext, "activepieces_text")
    return blueprint
