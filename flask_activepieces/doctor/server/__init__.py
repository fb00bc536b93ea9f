"""Checks that call Activepieces."""
