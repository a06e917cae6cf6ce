"""Text, files, locks, tables of names and late imports; knows nothing of encoders."""
