"""Installs the piece on an Activepieces server, with the version that its changes require."""
