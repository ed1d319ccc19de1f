"""Computes drift here, from rows: references in versions, windows from files, events with their labels."""
