"""The check that ``distbench evaluate`` runs on an encoder, on ready codes, or on a recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distbench._util.distances import PRECOMPUTED
from distbench.errors import InputError

if TYPE_CHECKING:
    from distbench.suites.check_flow import Check, Outcome

__all__ = ["check_file_names", "check_sources", "read_option", "run_check"]

POINT_OPTIONS = ("reference", "codes", "reference_codes", "labels", "reference_labels", "groups")
POINT_FILES = ("data", *POINT_OPTIONS)
LABELS = ("labels", "reference_labels", "groups", "ids_of")
POINTS = ("data", "reference", "labels", "reference_labels", "groups")


def check_sources(typed: Mapping[str, Any]) -> None:
    """Raise InputError for options that cannot be combined."""
    encoder, data, dataset, codes = (typed[name] for name in ("encoder", "data", "dataset", "codes"))
    if bool(encoder) == bool(codes):
        found = "both ENCODER and --codes" if codes else "neither ENCODER nor --codes"
        raise InputError("", f"found {found}", "give an encoder, or the codes that it made")
    if bool(data) == bool(dataset):
        found = "both --data and --dataset" if data else "no points"
        raise InputError("", f"found {found}", "give --data FILE for an encoder, or --dataset NAME for a recipe")
    if bool(dataset) != (typed["code_size"] is not None):
        raise InputError("--dataset and --code-size go together: a recipe is fitted on a data set at a code size")
    for name in POINT_OPTIONS if dataset else ():
        if typed[name]:
            raise InputError(name, "given with --dataset, which has its own points and labels", "leave it out")
    given = [typed[name] == PRECOMPUTED for name in ("distance_x", "distance_z")]  # with those of reference points
    if bool(typed["reference_codes"]) != bool(typed["reference"] and codes) and not (codes and any(given)):
        raise InputError("reference_codes", "needed with both --codes and --reference, and only then")
    if typed["input_space"] and (codes or dataset):
        raise InputError(
            "input_space", "goes only with ENCODER and --data", "with --codes, give the points of that space as --data"
        )
    if len(typed["input_space"]) > 1 + bool(typed["reference"]):
        raise InputError("input_space", "give one", "a second one is for --reference")
    for name, needed, fits in (
        ("stochastic", "ENCODER and --data", encoder and data),
        ("queries", "--data", data),
        ("reference_encoder", "ENCODER and --reference", encoder and typed["reference"]),
        ("reference_only", "--reference", typed["reference"] or typed["reference_codes"] or all(given)),
    ):
        if typed[name] and not fits:
            raise InputError(name, f"goes only with {needed}", "leave it out")


def run_check(typed: Mapping[str, Any], check: Check) -> tuple[Check, Outcome]:
    """Add what was typed, such as encoder and points, to a check; run it, and return both."""
    from distbench.cli._encoders import encoder_of, recipe_of
    from distbench.suites.check_names import check_dataset

    named = {name: typed[name] for name in ("k", "seed", "name")}
    check = replace(check, include_queries=not typed["reference_only"], **named)
    if typed["dataset"]:
        check_dataset(typed["dataset"])
        recipe = recipe_of(typed["encoder"])
        check = replace(check, encoder=recipe, dataset=typed["dataset"], code_size=typed["code_size"])
        return check, check.run()
    data, reference, labels, reference_labels, groups = (read_option(typed, name) for name in POINTS)
    notes = check_file_names(typed)
    options = {**check.options, "labels": labels, "reference_labels": reference_labels, "groups": groups}
    if typed["input_space"]:
        options["input_space"] = _space(typed["input_space"])
    if typed["reference_encoder"]:
        options["reference_encoder"] = encoder_of(typed["reference_encoder"])
    if typed["codes"]:
        pair = reference, read_option(typed, "reference_codes")
        reference = None if all(part is None for part in pair) else pair
        check = replace(check, codes=read_option(typed, "codes"), name=check.name or _name_of(typed["codes"]))
    else:
        check = replace(check, encoder=encoder_of(typed["encoder"]))
    check = replace(check, X_test=data, reference=reference, options=options)
    outcome = check.run()
    report = replace(outcome.report, notes=(*notes, *outcome.report.notes))
    row_fields = {"dataset": Path(typed["data"]).name, "data_sha256": outcome.report.fingerprint}
    return check, replace(outcome, report=report, row_fields={**outcome.row_fields, **row_fields})


def check_file_names(typed: Mapping[str, Any]) -> list[str]:
    """Return notes on the columns and rows of files; raise InputError if they are named in another order."""
    from distbench.inputs.table_names import check_pair_names, column_notes

    data, reference, codes, stored, labels, reference_labels, groups = (
        (typed.get(name), f"--{name.replace('_', '-')}") for name in POINT_FILES
    )
    given = [data] * (typed["distance_x"] == PRECOMPUTED) + [codes] * (typed["distance_z"] == PRECOMPUTED)
    includes_queries = not typed.get("reference_only", True)
    notes: list[str] = []
    check_pair_names(
        [data, codes, labels, groups], [reference, stored, reference_labels], notes, given, includes_queries
    )
    return [*notes, *column_notes([data, codes, reference, stored])]


def _space(texts: Sequence[str]) -> Any:
    from distbench.cli._encoders import encoder_of
    from distbench.inputs.files import is_file_name

    try:
        spaces = tuple(text if is_file_name(text) else encoder_of(text) for text in texts)
    except InputError as error:
        raise InputError("input_space", error.found, error.advice) from error.__cause__
    return spaces[0] if len(spaces) == 1 else spaces


def _name_of(codes: str) -> str:
    """Return a name for codes, from the names of their file and array."""
    name, colon, key = Path(codes).name.partition(":")
    return f"{Path(name).stem}{colon}{key}"


def read_option(typed: Mapping[str, Any], name: str) -> Any:
    """Return what is in the file that an option names; None without one."""
    from distbench.inputs.files import read_points

    if not typed[name]:
        return None
    return read_points(typed[name], f"--{name.replace('_', '-')}", one_column=name in LABELS)
