"""How an app declares its piece, and what is wrong with what it declared."""
