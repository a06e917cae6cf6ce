"""Helpers for text, files, locks, tables of names and imports; nothing here depends on encoders."""
