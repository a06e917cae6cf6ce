"""Rows of a run: their file format, matching, changes, gates and leaderboard."""
