"""Scores computed here, from rows: pure numpy, no Django, so that workers, tests and benchmarks run the same code."""
