"""``python -m distbench``: the command line."""

from distbench.cli import main

if __name__ == "__main__":
    main(prog_name="distbench")
