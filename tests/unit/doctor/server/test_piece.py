"""The app's piece on the servers."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from flask_activepieces import Activepieces, Piece, auth
from flask_activepieces.doctor.server.piece import check_piece
from flask_activepieces.doctor.subject import Subject
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.installed_piece import install_piece
from tests.support.api_user import OWN_PIECE
from tests.support.doctor import codes, only
from tests.unit.doctor.server.conftest import Link

PIECE = Piece(name="@acme/piece-declared", title="Acme", auth=[auth.SecretText()])
DECLARED: dict[str, Any] = {"piece": PIECE, "ACTIVEPIECES_PIECE_NAME": None}


def found(app: Flask) -> list[str]:
    with app.app_context():
        return codes(check_piece(Subject(app=app)))


def test_a_piece_that_was_written_by_hand_is_not_reported(link: Link) -> None:
    assert found(link()) == []


def test_an_app_without_a_piece_is_not_reported(link: Link) -> None:
    assert found(link(ACTIVEPIECES_PIECE_NAME=None)) == []


@pytest.mark.parametrize("options", [DECLARED, {"ACTIVEPIECES_PIECE_NAME": "@acme/piece-other"}])
def test_a_piece_that_is_not_installed_is_found(link: Link, options: dict[str, Any]) -> None:
    assert found(link(**options)) == ["piece-missing"]


def test_an_installed_piece_is_not_reported_until_its_declarations_change(
    link: Link, activepieces_server: ActivepiecesServer
) -> None:
    app = link(**DECLARED)
    install_piece(app, activepieces_server, app.config["ACTIVEPIECES_PUBLIC_URL"])
    assert found(app) == []

    def declare(activepieces: Activepieces) -> None:
        @activepieces.action("shout", scope="tasks:write", description="Shouts")
        def shout(data: Any) -> Any:
            return {}

    changed = link(**DECLARED, declare=declare)

    with changed.app_context():
        finding = only(check_piece(Subject(app=changed)), "piece-outdated")
    assert "shout" in finding.seen
    assert finding.kind.level == "warning"


def test_a_piece_outside_the_projects_piece_set_is_found(link: Link, activepieces_server: ActivepiecesServer) -> None:
    app = link()
    activepieces_server.hide_piece(OWN_PIECE.name)

    with app.app_context():
        finding = only(check_piece(Subject(app=app)), "piece-hidden")
    assert finding.tenant_id == "acme"


def test_a_piece_that_cannot_be_built_is_found(link: Link) -> None:
    app = link(**DECLARED, ACTIVEPIECES_PUBLIC_URL=None)

    with app.app_context():
        finding = only(check_piece(Subject(app=app)), "piece-address")
    assert finding.seen.startswith("ACTIVEPIECES_PUBLIC_URL is not set")
    assert finding.remedy.startswith("Set it to the app's public URL")


def test_without_an_integration_no_server_is_asked(app: Flask) -> None:
    assert found(app) == []
