"""``distbench hunt``: search for inputs that an encoder merges or tears apart."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal

import click

from distbench.cli._common import Command, json_option, print_verdict, running_user_code
from distbench.cli._wording import with_options
from distbench.errors import PreservationError

if TYPE_CHECKING:
    from distbench.hunting import Finding, Hunt

__all__ = ["command"]

VALUES = (
    "kind",
    "found",
    "value",
    "d_x",
    "d_z",
    "ratio",
    "relative",
    "shrunk_value",
    "shrunk_d_x",
    "shrunk_d_z",
    "how",
)


@click.command(
    "hunt",
    cls=Command,
    examples=["distbench hunt my_encoders:encode --data X_test.npy --expansion 2"],
)
@click.argument("encoder")
@click.option("--data", required=True, metavar="FILE", help="The points to search around: .npy, .npz, .parquet, .h5ad.")
@click.option("--expansion", type=float, help="The largest |z - z'| / |x - x'| allowed.")
@click.option("--contraction", type=float, help="The largest |x - x'| / |z - z'| allowed.")
@click.option("--budget", type=int, default=20_000, show_default=True, help="The largest number of rows to encode.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed of the search; the same seed finds the same pairs."
)
@click.option(
    "--directions",
    type=click.Choice(["any", "data"]),
    default="any",
    show_default=True,
    help="Move inputs in any direction, or only along differences between near test points.",
)
@click.option("--name", help="The encoder's name in reports.")
@json_option
def command(
    encoder: str,
    data: str,
    expansion: float | None,
    contraction: float | None,
    budget: int,
    seed: int,
    directions: Literal["any", "data"],
    name: str | None,
    as_json: bool,
) -> None:
    """Search for inputs that ENCODER merges or tears apart.

    It searches near the test points for two inputs whose distance the encoder changes more than the distance of any two
    test points.

    ENCODER is the file of a model, or module:name of an encoder or function; modules are searched for in this folder
    first. The exit code is 1 if a limit is broken.
    """
    from distbench.cli._encoders import encoder_of
    from distbench.hunting import checked_limits, hunt
    from distbench.inputs.files import read_points

    has_limits = expansion is not None or contraction is not None
    with running_user_code():
        limits = checked_limits(expansion=expansion, contraction=contraction) if has_limits else {}
        points = read_points(data, "--data")
        result = hunt(encoder_of(encoder), points, budget=budget, seed=seed, directions=directions, name=name)
        failure = _failure(result, limits)
        document = _document(result, limits, failure)
    print_verdict(with_options(str(result)), failure, document if as_json else None)
    if failure:
        sys.exit(1)


def _failure(hunt: Hunt, limits: dict[str, float]) -> str:
    """Return the message if a limit is broken, else an empty text."""
    try:
        if limits:
            hunt.check(**limits)
    except PreservationError as error:
        return str(error)
    return ""


def _document(hunt: Hunt, limits: dict[str, float], failure: str) -> dict[str, Any]:
    return {
        "encoder": hunt.encoder,
        "code_size": hunt.code_size,
        "m": hunt.m,
        "seed": hunt.seed,
        "asked": hunt.asked,
        "by_gradient": hunt.by_gradient,
        "expansion": hunt.expansion,
        "contraction": hunt.contraction,
        "limits": limits,
        "met": not failure if limits else None,
        "merged": _finding(hunt.merged),
        "torn": _finding(hunt.torn),
        "notes": list(hunt.notes),
        "failure": failure or None,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    import numpy as np

    pairs = {name: np.asarray(getattr(finding, name)).tolist() for name in ("pair", "codes", "shrunk")}
    rows = {name: list(map(int, getattr(finding, name))) for name in ("rows", "changed", "test_rows")}
    values = {name: getattr(finding, name) for name in VALUES}
    return {**values, "test_value": finding.test_value, **rows, **pairs, "snippet": finding.snippet}
