"""The commands that judge retrieval, fit its prior and draw an answer."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import httpx
import typer
from rich.console import Console

from services.image_index.evaluation.retrieval.end_to_end import judge_gateway
from services.image_index.evaluation.retrieval.figures_table import TABLE_WIDTH, figures_table
from services.image_index.evaluation.retrieval.fit_prior import prior_of_reports
from services.image_index.evaluation.retrieval.judge import evaluate
from services.image_index.evaluation.retrieval.plots import draw_curves, draw_reliability
from services.image_index.evaluation.retrieval.predict import predict as predict_table
from services.image_index.evaluation.retrieval.predictions import Predictions, read_predictions, write_predictions
from services.image_index.evaluation.retrieval.report_labels import with_reports
from services.image_index.evaluation.retrieval.reports import read_reports
from services.image_index.evaluation.retrieval.show import show_impression
from services.image_index.evaluation.retrieval.simulate import Calibration
from services.image_index.evaluation.retrieval.simulate import simulate as simulate_classifier
from services.image_index.ranking.prior import LabelSetPrior, read_prior, shipped_prior, write_prior
from services.image_index.settings import BUNDLED_MODEL
from services.workbench.json_file import write_json
from services.workbench.plain_errors import plain_errors
from shared.schemas.search import RankingName

_console = Console()
Protocol = Literal["original", "honest"]
TextColumn = Annotated[str, typer.Option(help="The table's column of impressions.")]
Url = Annotated[str, typer.Option(help="The running gateway.")]
Key = Annotated[str | None, typer.Option(help="Its API key, where it asks for one.", envvar="CHEX_CLIENT_KEY")]
GATEWAY = "http://127.0.0.1:8000"


def evaluate_retrieval(
    *,
    predictions: Annotated[
        Path | None, typer.Option(help="Table with path_to_image, the 14 labels, prob_<label> and pred_<label>.")
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option(help="In its place: indexed images with labels and impressions, judged through the gateway."),
    ] = None,
    k: Annotated[int, typer.Option(min=1, help="How many images are looked at.")] = 5,
    ranking: Annotated[str, typer.Option(help=f"all, or one of {', '.join(get_args(RankingName))}.")] = "all",
    protocol: Annotated[
        Protocol, typer.Option(help="The original project's; or patient-disjoint, ties averaged, with intervals.")
    ] = "original",
    prior: Annotated[Path | None, typer.Option(help="Written by fit-prior; the shipped one if not given.")] = None,
    report_labels: Annotated[
        Path | None,
        typer.Option(help="What the text classifier's `label` wrote of the images' reports: they are evidence then."),
    ] = None,
    report_share: Annotated[
        float, typer.Option(min=0, max=1, help="Only so many of the patients have their reports.")
    ] = 1.0,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write all figures here.")] = None,
    plots: Annotated[
        Path | None, typer.Option(help="Folder for recall against K, precision-recall and reliability.")
    ] = None,
    text_column: TextColumn = "impression",
    url: Url = GATEWAY,
    key: Key = None,
) -> None:
    """How well queries find images with the same labels: every ranking, between chance and true labels."""
    if (predictions is None) == (queries is None):
        raise typer.BadParameter("give either --predictions or --queries")
    if report_labels is not None and predictions is None:
        raise typer.BadParameter("--report-labels goes with --predictions: an index has its own reports")
    if report_share < 1 and report_labels is None:
        raise typer.BadParameter("--report-share goes with --report-labels")
    names = _names(ranking)
    with plain_errors("image-index"):
        if predictions:
            label_sets = read_prior(prior) if prior else shipped_prior()
            table = read_predictions(predictions)
            if report_labels is not None:
                table = _with_reports(table, report_labels, label_sets, report_share)
            report = _judge_predictions(table, label_sets, names, k=k, protocol=protocol, plots=plots)
        else:
            with _gateway(url, key) as gateway:
                report = _judge_gateway(queries, text_column, gateway, names, k)  # type: ignore[arg-type]
    Console(width=max(_console.width, TABLE_WIDTH)).print(figures_table(report))
    for name, promise in report.get("promises", {}).items():
        _console.print(
            f"{name} of the first {k}: promised {promise['promised']:.3f}, found {promise['found']:.3f}, off by "
            f"{promise['ece']:.3f}"
        )
    if json_out:
        write_json(json_out, report)


def simulate(
    *,
    out: Annotated[Path, typer.Option(help="Table to write, for evaluate-retrieval.")],
    auroc: Annotated[float, typer.Option(min=0.51, max=0.99, help="The mean over labels.")] = 0.75,
    calibration: Annotated[
        Calibration, typer.Option(help="How its probabilities are off, if they are.")
    ] = "calibrated",
    images: Annotated[int, typer.Option(min=2)] = 4415,
    prior: Annotated[Path | None, typer.Option(help="Written by fit-prior; the shipped one if not given.")] = None,
    seed: int = 0,
) -> None:
    """Make up a classifier of a given quality, on label sets as reports have them."""
    with plain_errors("image-index"):
        label_sets = read_prior(prior) if prior else shipped_prior()
        write_predictions(out, simulate_classifier(label_sets, images, auroc, calibration=calibration, seed=seed))
    _console.print(f"{images:,} images: {out}")


def predict(
    *,
    csv: Annotated[Path, typer.Option(help="Table in CheXpert's, NIH's or the image/findings layout.")],
    out: Annotated[Path, typer.Option(help="Table to write, for evaluate-retrieval.")],
    images_root: Annotated[
        Path | None, typer.Option(help="Where its paths start; its own folder if not given.")
    ] = None,
    model: Annotated[Path, typer.Option(help="Image model folder.")] = BUNDLED_MODEL,
    held_out: Annotated[bool, typer.Option("--held-out", help="Only the patients that no training here saw.")] = False,
) -> None:
    """Write down the encoder's probabilities of labelled pictures."""
    with plain_errors("image-index"):
        with _console.status("Encoding"):
            predictions = predict_table(model, csv, images_root or csv.parent, held_out=held_out)
        write_predictions(out, predictions)
    _console.print(f"{len(predictions):,} pictures: {out}")


def fit_prior(
    *,
    csv: Annotated[Path, typer.Option(help="Reports with the 14 labels in CheXpert's coding (1, 0, -1, blank).")],
    out: Annotated[Path, typer.Option(help="Prior to write; CHEX_PRIOR names it to the service.")],
    text_column: TextColumn = "impression",
    url: Annotated[str | None, typer.Option(help="Running gateway that reads the texts where labels miss.")] = None,
    key: Key = None,
) -> None:
    """Count which findings a site reports together."""
    with plain_errors("image-index"):
        if url is None:
            prior = prior_of_reports(csv, text_column, None)
        else:
            with _gateway(url, key) as gateway, _console.status("Reading") as status:
                prior = prior_of_reports(csv, text_column, gateway, lambda done: status.update(f"Read {done:,}"))
        write_prior(out, prior)
    _console.print(f"{int(prior.counts.sum()):,} reports, {len(prior.sets)} label sets: {out}")


def show(
    impression: Annotated[str, typer.Argument(help="The text of an impression.")],
    out: Annotated[Path, typer.Option(help="PNG to write.")],
    k: Annotated[int, typer.Option(min=1, max=20, help="How many images.")] = 5,
    url: Url = GATEWAY,
    key: Key = None,
) -> None:
    """Draw the images that a running gateway finds for an impression, with their scores."""
    with plain_errors("image-index"), _gateway(url, key) as gateway:
        reason = show_impression(impression, gateway, k, out)
    _console.print(reason or f"Drawn: {out}")


def _with_reports(table: Predictions, labels: Path, prior: LabelSetPrior, share: float) -> Predictions:
    matched = with_reports(table, labels, prior, share)
    _console.print(
        f"{matched.reported:,} of {len(table):,} images have a report; {matched.unknown:,} reports are of others, "
        f"{matched.faulty:,} lines hold none{f' ({matched.reason})' if matched.reason else ''}.",
        soft_wrap=True,
    )
    return matched.predictions


def _judge_predictions(
    table: Predictions,
    prior: LabelSetPrior,
    names: list[RankingName],
    *,
    k: int,
    protocol: Protocol,
    plots: Path | None,
) -> dict[str, Any]:
    with _console.status("Ranking") as status:
        report = evaluate(
            table, prior, names, k=k, protocol=protocol, on_ranking=lambda name: status.update(f"Ranking by {name}")
        )
    if plots:
        curves = draw_curves(table, prior, names, plots)
        for drawn in (*curves, draw_reliability(report["promises"], plots / "reliability.png")):
            _console.print(f"Drawn: {drawn}")
    return report


def _judge_gateway(
    path: Path, text_column: str, gateway: httpx.Client, names: list[RankingName], k: int
) -> dict[str, Any]:
    reports = read_reports(path, text_column)
    with _console.status("Asking") as status:
        return judge_gateway(
            reports, gateway, names, k=k, on_query=lambda name, done: status.update(f"{name}: {done:,} impressions")
        )


def _gateway(url: str, key: str | None) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=60, headers={"Authorization": f"Bearer {key}"} if key else {})


def _names(ranking: str) -> list[RankingName]:
    known: tuple[RankingName, ...] = get_args(RankingName)
    if ranking == "all":
        return list(known)
    chosen = [name for name in known if name == ranking]
    if not chosen:
        raise typer.BadParameter(f"{ranking} is no ranking: all, {', '.join(known)}")
    return chosen
