"""What ``distbench evaluate`` judges: an encoder, ready codes, or a recipe that is fitted first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distbench.errors import InputError

if TYPE_CHECKING:
    from distbench.suites.check import Check, Outcome

__all__ = ["Sources", "judge"]


@dataclass(frozen=True)
class Sources:
    """What a command line names, as it was typed; empty or None where it does not."""

    encoder: str = ""
    data: str = ""
    reference: str = ""
    codes: str = ""
    reference_codes: str = ""
    labels: str = ""
    reference_labels: str = ""
    input_space: tuple[str, ...] = ()
    dataset: str = ""
    code_size: int | None = None

    def check(self) -> None:
        """Refuse what does not go together.

        Raises
        ------
        InputError
            Something is missing, or given beside what it does not go with.
        """
        if bool(self.encoder) == bool(self.codes):
            found = "both ENCODER and --codes" if self.codes else "neither ENCODER nor --codes"
            raise InputError(f"found {found}; give an encoder to judge, or the codes that it made")
        if bool(self.data) == bool(self.dataset):
            found = "both --data and --dataset" if self.data else "no points"
            raise InputError(f"found {found}; give --data FILE for an encoder, or --dataset NAME for a recipe")
        if bool(self.dataset) != (self.code_size is not None):
            raise InputError("--dataset and --code-size go together: what a recipe is fitted on, and to which codes")
        for name in ("reference", "codes", "reference_codes", "labels", "reference_labels") if self.dataset else ():
            if getattr(self, name):
                raise InputError(_option(name), "given with --dataset, which has its own", "leave it out")
        if bool(self.reference_codes) != bool(self.reference and self.codes):
            raise InputError("--reference-codes", "give them where --codes and --reference are given, and only there")
        if self.input_space and (self.codes or self.dataset):
            raise InputError(
                "--input-space", "goes with ENCODER and --data alone", "with --codes give its points as --data"
            )
        if len(self.input_space) > 1 + bool(self.reference):
            raise InputError("--input-space", "give one", "a second is of the points of --reference")


def judge(sources: Sources, check: Check) -> Outcome:
    """Return what a check measures on what the command line names.

    Parameters
    ----------
    sources : Sources
        Checked.
    check : Check
        Limits, name, seed and options.

    Raises
    ------
    InputError
        Something cannot be used, or a limit is one that no encoder can meet.
    """
    from distbench.suites.fits import FitCache
    from distbench.suites.names import check_dataset

    if sources.dataset:
        from distbench.cli._encoders import recipe_of

        check_dataset(sources.dataset)
        recipe = recipe_of(sources.encoder)
        return replace(check, encoder=recipe, dataset=sources.dataset, code_size=sources.code_size).run(FitCache())
    points = {key: _read(sources, key) for key in ("data", "reference", "labels", "reference_labels")}
    options = {**check.options, "seed": check.seed, "labels": points["labels"]}
    options["reference_labels"] = points["reference_labels"]
    if sources.input_space:
        options["input_space"] = _space(sources.input_space)
    check = replace(check, X_test=points["data"], reference=points["reference"], options=options)
    if sources.codes:
        if check.reference is not None:
            check = replace(check, reference=(check.reference, _read(sources, "reference_codes")))
        outcome = replace(check, codes=_read(sources, "codes"), name=check.name or _name_of(sources.codes)).run()
    else:
        from distbench.cli._encoders import encoder_of

        outcome = replace(check, encoder=encoder_of(sources.encoder)).run()
    data = {"dataset": Path(sources.data).name, "data_sha256": outcome.report.fingerprint}
    return replace(outcome, about={**outcome.about, **data})


def _space(texts: Sequence[str]) -> Any:
    from distbench.cli._encoders import encoder_of
    from distbench.inputs.files import is_file_name

    try:
        found = tuple(text if is_file_name(text) else encoder_of(text) for text in texts)
    except InputError as error:
        raise InputError(str(error).replace("ENCODER:", "--input-space:", 1)) from error.__cause__
    return found[0] if len(found) == 1 else found


def _name_of(codes: str) -> str:
    """Return what codes are called: their file, and which of its arrays."""
    name, colon, key = Path(codes).name.partition(":")
    return f"{Path(name).stem}{colon}{key}"


def _read(sources: Sources, key: str) -> Any:
    from distbench.inputs.files import read_points

    source = getattr(sources, key)
    return read_points(source, _option(key)) if source else None


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
