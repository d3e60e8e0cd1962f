"""`python -m services.text_classifier serve | train | export | evaluate`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from json import dumps
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from services.inference.session import ModelLoadError
from services.text_classifier.settings import TextClassifierSettings
from shared.commands import plain, run
from shared.environment import read_environment

TABLE_WIDTH = 120

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="The text classifier: serve it, train it, judge it.")


@cli.command()
def serve() -> None:
    """Answer over HTTP. Settings come from the environment (CHEX_TEXT_MODEL, CHEX_TEXT_PORT, ...)."""
    from services.text_classifier.app import create_app  # noqa: PLC0415 - the other commands need no web server
    from shared.web.serve import serve as serve_app  # noqa: PLC0415

    settings = read_environment(TextClassifierSettings, "text-classifier")
    app = create_app(settings)
    serve_app(app, settings, service="text-classifier", port=settings.text_port, port_variable="CHEX_TEXT_PORT")


@cli.command()
def train(  # noqa: PLR0917 - one option a parameter, always named
    out: Annotated[Path, typer.Option(help="Model folder to write; its `checkpoints/` let a stopped run go on.")],
    base: Annotated[
        str,
        typer.Option(help="minilm, bundled, a local folder, or a hub name (emilyalsentzer/Bio_ClinicalBERT)."),
    ] = "minilm",
    csv: Annotated[list[Path] | None, typer.Option(help="CSV of reports; may be given several times.")] = None,
    text_column: Annotated[str, typer.Option(help="The CSVs' column of impressions.")] = "impression",
    patient_column: Annotated[
        str | None, typer.Option(help="The CSVs' column of patient IDs: no patient is split. Else equal texts are not.")
    ] = None,
    openi: Annotated[Path | None, typer.Option(help="indiana_reports.csv of the Open-i collection.")] = None,
    generated: Annotated[int, typer.Option(min=0, help="Generated reports, made anew for each epoch.")] = 0,
    hard: Annotated[int, typer.Option(min=0, help="Phrasebook texts, anew for each epoch.")] = 0,
    mixed: Annotated[
        int, typer.Option(min=0, help="Texts mixed of sentences of the real reports, anew for each epoch.")
    ] = 0,
    epochs: Annotated[int, typer.Option(min=1)] = 4,
    batch_size: Annotated[int, typer.Option(min=1)] = 32,
    max_tokens: Annotated[int, typer.Option(min=16, max=512, help="Becomes the model's window.")] = 160,
    learning_rate: float = 1e-4,
    patience: Annotated[int, typer.Option(min=1, help="Stop after so many epochs without gain.")] = 2,
    cut_vocabulary: Annotated[
        bool | None, typer.Option(help="Keep only the tokens that reports need. By default for minilm only.")
    ] = None,
    name: Annotated[str, typer.Option(help="The model's name, which every answer carries.")] = "chexretriever-text",
    version: str = "1",
    seed: int = 1,
) -> None:
    """Fine-tune a model. CSVs carry CheXpert-coded label columns (1, -1, 0, blank), or none (then the rules do)."""
    try:
        from services.text_classifier.training.finish import finish  # noqa: PLC0415
        from services.text_classifier.training.options import Options  # noqa: PLC0415
        from services.text_classifier.training.sources import Sources  # noqa: PLC0415
        from services.text_classifier.training.train import train as run_training  # noqa: PLC0415
    except ImportError as error:
        _missing(error)
    sources = Sources(
        csv=csv or (),
        text_column=text_column,
        patient_column=patient_column,
        openi=openi,
        generated=generated,
        hard=hard,
        mixed=mixed,
        seed=seed,
    )
    options = Options(
        out=out,
        base=base,
        sources=sources,
        epochs=epochs,
        batch_size=batch_size,
        max_tokens=max_tokens,
        learning_rate=learning_rate,
        patience=patience,
        cut_vocabulary=cut_vocabulary,
        seed=seed,
    )
    with _readable_errors():
        finish(run_training(options), out, name=name, version=version, console=Console())


@cli.command()
def export(
    checkpoint: Annotated[Path, typer.Option(help="A model folder, or a Hugging Face folder with 14 sigmoid outputs.")],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
) -> None:
    """Turn a checkpoint into a folder that is served without torch, and check that both answer alike."""
    try:
        from services.text_classifier.training.export import export_checkpoint  # noqa: PLC0415
    except ImportError as error:
        _missing(error)
    with _readable_errors():
        difference = export_checkpoint(checkpoint, out)
    Console().print(f"exported to {out}; ONNX Runtime and torch agree to {difference:.1e}")


@cli.command()
def evaluate(
    csv: Annotated[
        Path, typer.Option(help="Labelled reports: a column for each label with 1, -1, 0, blank, or ? (unknown).")
    ],
    model: Annotated[str, typer.Option(help="A model folder, bundled, rules or rules-reference.")] = "bundled",
    text_column: Annotated[str, typer.Option(help="The CSV's column of impressions.")] = "impression",
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Write reliability, ROC and precision-recall curves here.")] = None,
) -> None:
    """Judge a model or the rules against labelled reports, for present, absent and uncertain."""
    try:
        from services.text_classifier.training.evaluate import evaluate as judge  # noqa: PLC0415
        from services.text_classifier.training.evaluate import print_report  # noqa: PLC0415
    except ImportError as error:
        _missing(error)
    with _readable_errors():
        report = judge(model, csv, text_column, json_out=json, plots=plots)
    print_report(report, _wide_console())


@cli.command()
def compare(
    model: Annotated[str, typer.Option(help="A model folder, or bundled.")] = "bundled",
    openi: Annotated[
        Path | None, typer.Option(help="indiana_reports.csv: its test part, by the rules and by its codes.")
    ] = None,
    golden: Annotated[Path | None, typer.Option(help="CSV of impressions with the labels they must get.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
) -> None:
    """Judge the rules, a model and TF-IDF with logistic regression side by side."""
    try:
        from services.text_classifier.training.compare import compare as compare_all  # noqa: PLC0415
        from services.text_classifier.training.compare import comparison_table  # noqa: PLC0415
    except ImportError as error:
        _missing(error)
    with _readable_errors():
        comparison = compare_all(model, openi=openi, golden=golden)
    if json:
        json.write_text(dumps(comparison, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    _wide_console().print(comparison_table(comparison))


def _wide_console() -> Console:
    """A table that is piped into a file keeps its words whole."""
    return Console() if sys.stdout.isatty() else Console(width=TABLE_WIDTH)


def _missing(error: ImportError) -> NoReturn:
    sys.exit(f"This command needs {error.name}, which serving does not. Install it with: pip install '.[train]'")


@contextmanager
def _readable_errors() -> Iterator[None]:
    """What the caller can mend ends in one sentence, not in a traceback."""
    try:
        yield
    except (ValueError, ModelLoadError) as error:
        sys.exit(f"text-classifier: {error}")
    except OSError as error:
        sys.exit(f"text-classifier: {plain(error)}")


def main() -> None:
    run(cli, "text-classifier", ModelLoadError)


if __name__ == "__main__":
    main()
