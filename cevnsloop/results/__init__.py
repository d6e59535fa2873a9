"""What the paper says, and tables and figures to compare with it."""
