"""The coefficients of the published amplitude derived in code; imported by chapters and tests only."""
