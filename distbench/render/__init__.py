"""Rendering: from tables to text. Nothing is computed here."""
