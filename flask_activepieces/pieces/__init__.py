"""The app's piece: declarations in Python, from which a package for Activepieces is built."""
