"""Installs the piece on an Activepieces server, in the version that its changes need."""
