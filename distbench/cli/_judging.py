"""What ``distbench evaluate`` judges: an encoder, ready codes, or a recipe that is fitted first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distbench.errors import InputError

if TYPE_CHECKING:
    from distbench.evaluation.limits import CheckOptions
    from distbench.evaluation.report import Report

__all__ = ["Judged", "Sources", "judge"]


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


@dataclass(frozen=True)
class Judged:
    """A report, and what its rows say beside it."""

    report: Report
    about: Mapping[str, Any] = field(default_factory=dict)
    labels: Any = None


def judge(sources: Sources, asked: CheckOptions, *, seed: int, name: str | None) -> Judged:
    """Return what was measured.

    Parameters
    ----------
    sources : Sources
        Checked.
    asked : CheckOptions
        Limits, and options of :func:`distbench.evaluate`.
    seed : int
        Of a recipe's training, or of the sample of test points.
    name : str, optional
        Of the encoder.

    Raises
    ------
    InputError
        Something cannot be used, or a limit is one that nobody can keep.
    """
    if sources.dataset:
        return _of_recipe(sources, asked, seed, name)
    points = {key: _read(sources, key) for key in ("data", "reference", "labels", "reference_labels")}
    options = {**asked.options, "seed": seed, "labels": points["labels"]}
    options["reference_labels"] = points["reference_labels"]
    report = _of_points(sources, asked, points, {**options, "name": name})
    from distbench._util.notes import warnings_of

    own = {"dataset": Path(sources.data).name, "data_sha256": report.fingerprint}
    return Judged(report, {**own, "note": warnings_of(report.notes)}, points["labels"])


def _of_points(sources: Sources, asked: CheckOptions, points: Mapping[str, Any], options: dict[str, Any]) -> Report:
    from distbench.cli._encoders import encoder_of
    from distbench.evaluation.evaluate import evaluate, evaluate_codes
    from distbench.evaluation.limits import Floors

    X, reference = points["data"], points["reference"]
    if sources.input_space:
        options["input_space"] = _space(sources.input_space)
    floors = Floors(asked.limits, options["k"], X, reference is not None, True, options)
    if sources.codes:
        pair = None if reference is None else (reference, _read(sources, "reference_codes"))
        options["name"] = options["name"] or _name_of(sources.codes)
        report = evaluate_codes(X, _read(sources, "codes"), reference=pair, **options)
    else:
        encoder = encoder_of(sources.encoder)
        floors.check_encoder(encoder)
        report = evaluate(encoder, X, reference=reference, **options)
    if asked.limits and "broken" in report.verdicts(**asked.limits).values():
        floors.check_report(report)
    return report


def _of_recipe(sources: Sources, asked: CheckOptions, seed: int, name: str | None) -> Judged:
    from distbench.cli._encoders import recipe_of
    from distbench.evaluation.limits import Floors, recipe_options
    from distbench.suites.fits import FitCache
    from distbench.suites.names import check_dataset
    from distbench.suites.recipes import as_recipe

    size, bench = sources.code_size or 0, FitCache()
    check_dataset(sources.dataset)
    recipe, data = as_recipe(recipe_of(sources.encoder)), bench.dataset(sources.dataset)
    rest = {key: value for key, value in asked.options.items() if key != "k"}
    k = asked.options["k"]
    Floors(asked.limits, k, None, True, True, rest).check_recipe(data, size)
    run = bench.run(recipe, sources.dataset, size, seed, k=k, name=name, **recipe_options(rest))
    about = {"dataset": sources.dataset, "code_size": size, "seed": seed, "seconds": run.seconds}
    about |= {"in_sample": run.in_sample, "note": run.note, "data_sha256": data.sha256}
    return Judged(run.report, about, data.labels_test)


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
