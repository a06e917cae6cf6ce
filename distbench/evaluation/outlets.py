"""Where a report's numbers go beside print: pictures, notebooks and frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distbench._util.imports import imported

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["Outlets"]


class Outlets:
    """The methods of a `Report` that hand it on; what each needs is loaded when it is called."""

    def plot(self, kind: str | None = None, ax: Any = None, *, labels: Any = None) -> Any:
        """Draw how distances, points and neighbourhoods fare, with matplotlib.

        Parameters
        ----------
        kind : {"shepard", "points", "ranks"}, optional
            "shepard": density of code distance against input distance, with the line on which codes would be the
            inputs but for scale. "points": test points at the first two columns of their codes, by their own
            continuity, with the worst points and the neighbours torn farthest apart. "ranks": R_NX(K), the share of
            the K nearest neighbours kept beyond chance, at which it is 0. Default: all three, side by side.
        ax : matplotlib Axes, or three of them without a kind, optional
            Where to draw; pyplot is then left alone. Make their figure with ``layout="constrained"``, which leaves room
            for what stands above and below. "ranks" of several reports may share axes. Default: a new figure of pyplot.
        labels : array-like of shape (m,), optional
            Of the test points; their names are written into "points".

        Returns
        -------
        matplotlib Axes, or ndarray of shape (3,) of them
            What was drawn on, three axes without a kind: ``axes[0].figure.savefig("kept.png")`` writes them to a file.

        Raises
        ------
        InputError
            If an argument cannot be used, or the report comes from stored rows and has no points.
        MissingDependencyError
            If matplotlib is not installed.

        References
        ----------
        .. [1] J. A. Lee, D. H. Peluffo-Ordonez and M. Verleysen (2015), Multi-scale similarities in stochastic
           neighbour embedding: reducing dimensionality while preserving both local and global structure (R_NX).
        .. [2] R. N. Shepard (1962), The analysis of proximities: multidimensional scaling with an unknown distance
           function.
        """
        return imported("distbench.render.plots:plot")(self, kind, ax, labels)

    def to_frame(self) -> pd.DataFrame:
        """Return the scores as a pandas frame, a metric a row.

        Returns
        -------
        pandas.DataFrame
            Index ``metric``; columns ``value``, ``low``, ``high``, ``chance``, ``attainable`` and ``floor`` (nan where
            there is none), ``direction`` ("up" or "down") and ``draws``. ``attrs`` says encoder, k, m, M and distances.

        Raises
        ------
        MissingDependencyError
            If pandas is not installed.
        """
        frame: pd.DataFrame = imported("distbench.evaluation.tables:report_frame")(self)
        return frame

    def _repr_html_(self) -> str:
        """Show a notebook the table."""
        return str(imported("distbench.evaluation.tables:report_html")(self))
