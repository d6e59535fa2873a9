"""From events to limits: statistics, searches, toys."""
