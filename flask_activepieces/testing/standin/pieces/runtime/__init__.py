"""What the JavaScript in the package of a piece does, in Python: one module for each of its files.

Change both together: `tests/pieces` runs the same tests against either.
"""
