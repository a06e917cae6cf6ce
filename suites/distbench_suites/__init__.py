"""The suites that ship with distbench, as data: ``pytest --distbench --pyargs distbench_suites``."""
