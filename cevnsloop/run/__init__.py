"""Files written whole, and long computations in pieces."""
