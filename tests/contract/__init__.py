"""The stand-in and our client, held to what real servers did."""
