"""From the code to tokens, and what becomes of them."""
