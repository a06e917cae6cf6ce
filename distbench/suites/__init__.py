"""Suites: questions about encoders as data (TOML files), and the code that answers them.

A suite names a data set, code sizes, training seeds, encoders with limits, and claims. Nothing here uses pytest: the
plugin turns each encoder at each code size, and each claim, into a test.
"""
