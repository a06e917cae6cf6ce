"""Rendering: from tables to text, Markdown, HTML and pictures. Nothing is computed here."""
