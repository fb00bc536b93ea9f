"""The app's piece: what is declared in Python becomes a package for Activepieces."""
