"""An app with the signing key of its platform, whose tenants have projects of their own."""

from __future__ import annotations

import pytest

from flask_activepieces.host.interface import Principal
from flask_activepieces.integrations.store import Integration
from tests.support.service_harness import ServiceHarness


@pytest.fixture
def signing(harness: ServiceHarness) -> ServiceHarness:
    """The app."""
    key_id, pem = harness.upstream.add_signing_key()
    return harness.with_app_key(signing_key=pem, signing_key_id=key_id)


@pytest.fixture
def integration(signing: ServiceHarness) -> Integration:
    """The integration of a tenant on the app's own key."""
    made = signing.set_up(tenant_id=signing.tenant)
    signing.events.clear()
    return made


@pytest.fixture
def ada(signing: ServiceHarness) -> Principal:
    """A user of the tenant."""
    return Principal("7", signing.tenant, "Ada Lovelace")
