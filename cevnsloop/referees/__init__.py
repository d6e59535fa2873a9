"""Independent ways to the same numbers, for tests, benchmarks and chapters only."""
