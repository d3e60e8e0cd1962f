"""`python -m services.text_classifier.training train | export | prepare-chexpert`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.workbench.missing_packages import what_to_install
from services.workbench.plain_errors import plain_errors
from shared.commands import run

SERVICE = "text-classifier"

with what_to_install(SERVICE):
    from services.text_classifier.examples.sources import Sources
    from services.text_classifier.training.export import export_checkpoint
    from services.text_classifier.training.finish import finish
    from services.text_classifier.training.options import Options
    from services.text_classifier.training.prepare_chexpert import prepare_chexpert
    from services.text_classifier.training.train import train as run_training

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Train a text classifier, and export one.")
cli.command("prepare-chexpert")(prepare_chexpert)


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
    with plain_errors(SERVICE):
        finish(run_training(options), out, name=name, version=version, console=Console())


@cli.command()
def export(
    checkpoint: Annotated[Path, typer.Option(help="A model folder, or a Hugging Face folder with 14 sigmoid outputs.")],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
) -> None:
    """Turn a checkpoint into a folder that is served without torch, and check that both answer alike."""
    with plain_errors(SERVICE):
        difference = export_checkpoint(checkpoint, out)
    Console().print(f"exported to {out}; ONNX Runtime and torch agree to {difference:.1e}")


if __name__ == "__main__":
    run(cli, SERVICE)
