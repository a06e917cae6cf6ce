"""Metrics computed from their definitions alone: slow, to test the fast ones against."""
