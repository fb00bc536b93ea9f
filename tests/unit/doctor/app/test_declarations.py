"""The scopes of views, and the piece. tests/integration/test_setup_check.py has more about scopes."""

from __future__ import annotations

from flask import Flask

from flask_activepieces import Activepieces, Piece, auth, require_scope
from flask_activepieces.doctor.app.declarations import check_mcp_path, check_piece, check_scopes
from flask_activepieces.state import get_state
from tests.conftest import MakeApp
from tests.support.doctor import codes, only

PIECE = Piece(name="@acme/piece-acme", title="Acme", auth=[auth.SecretText()])


def view() -> str:
    return "shown"


def test_scopes_of_views_that_the_setting_lacks_are_found(app: Flask) -> None:
    views = {"tasks": require_scope("task:read")(view)}

    finding = only(check_scopes(views, get_state(app).settings.scopes), "scopes-unknown")

    assert "'task:read' of tasks (did you mean 'tasks:read'?)" in finding.seen


def test_an_empty_setting_is_found() -> None:
    assert codes(check_scopes({"home": view}, {})) == ["scopes-empty"]


def test_problems_of_declarations_are_found(make_app: MakeApp) -> None:
    def declare(activepieces: Activepieces) -> None:
        activepieces.action("act", scope="no:such")(view)

    app = make_app(piece=PIECE, declare=declare)
    state = get_state(app)
    with app.app_context():
        finding = only(check_piece(state.piece, state.settings), "piece-declarations")

    assert "no:such" in finding.seen


def test_another_name_of_the_piece_is_found(make_app: MakeApp) -> None:
    app = make_app(piece=PIECE, ACTIVEPIECES_PIECE_NAME="@acme/piece-old")
    state = get_state(app)
    with app.app_context():
        finding = only(check_piece(state.piece, state.settings), "piece-name")

    assert finding.seen == "ACTIVEPIECES_PIECE_NAME is @acme/piece-old, and the app declares @acme/piece-acme."


def test_a_good_piece_is_not_reported(make_app: MakeApp) -> None:
    app = make_app(piece=PIECE, ACTIVEPIECES_PIECE_NAME=PIECE.name)
    state = get_state(app)
    with app.app_context():
        assert codes(check_piece(state.piece, state.settings)) == []


def test_a_view_with_the_path_of_the_endpoint_for_agents_is_found(make_app: MakeApp) -> None:
    app = make_app(piece=PIECE, ACTIVEPIECES_MCP=True)
    path = get_state(app).settings.mcp_path
    assert codes(check_mcp_path(app, path)) == []
    app.add_url_rule(path, "our_mcp", view)

    assert "the view our_mcp of the app" in only(check_mcp_path(app, path), "mcp-path").seen


def test_without_the_endpoint_for_agents_the_app_may_use_the_path(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_MCP=False)
    path = get_state(app).settings.mcp_path
    app.add_url_rule(path, "our_mcp", view)

    assert codes(check_mcp_path(app, path)) == []
