"""Intervals, verdicts on limits, and the values between which scores can lie: chance, floors, attainable ones."""
