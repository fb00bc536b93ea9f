"""Keys: deriving, signing, encrypting. No Flask and no database."""
