"""Intervals, verdicts on limits, and reference values for scores: chance, floors and attainable values."""
