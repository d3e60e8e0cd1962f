"""`python -m services.image_index.training train | export | convert | fit-… | evaluate-…`."""

import typer

from services.workbench.missing_packages import what_to_install
from shared.commands import run

with what_to_install("image-index"):
    from services.image_index.training.commands import export, train, write_card
    from services.image_index.training.convert_command import convert
    from services.image_index.training.gate.commands import evaluate_chest_gate, fit_chest_gate
    from services.image_index.training.gate.orientation_commands import evaluate_orientation, fit_orientation
    from services.image_index.training.refit_command import refit_output
    from shared.tables import TableUnusable

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Train an encoder, and what stands before it.")
cli.command()(train)
cli.command()(export)
cli.command("write-card")(write_card)
cli.command("refit-output")(refit_output)
cli.command()(convert)
cli.command("fit-chest-gate")(fit_chest_gate)
cli.command("evaluate-chest-gate")(evaluate_chest_gate)
cli.command("fit-orientation")(fit_orientation)
cli.command("evaluate-orientation")(evaluate_orientation)

if __name__ == "__main__":
    run(cli, "image-index", TableUnusable)
