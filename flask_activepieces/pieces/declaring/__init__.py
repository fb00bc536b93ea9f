"""How an app declares its piece, and the checks of its declarations."""
