"""A judgement as a table for a terminal."""

from typing import Any

from rich.table import Table

_COLUMNS = {
    "recall": "Recall@{k}",
    "precision": "precision@{k}",
    "map": "mAP",
    "iou": "IoU@{k}",
    "ndcg": "nDCG@{k}",
    "any_label_recall": "any label@{k}",
    "mrr": "MRR",
}
TABLE_WIDTH = 130  # cells with their intervals are not cut


def figures_table(report: dict[str, Any]) -> Table:
    rows = {"random": report["floor"], **report["rankings"], "true labels": report["ceiling"]}
    shown = [figure for figure in _COLUMNS if all(figure in row for row in rows.values())]
    table = Table(
        "ranking",
        *(_COLUMNS[figure].format(k=report["k"]) for figure in shown),
        title=f"{report['protocol']} protocol, {report['images']:,} images, {report['label_sets']:,} label sets",
    )
    for name, row in rows.items():
        style = "bold" if name == report["default_ranking"] else None
        table.add_row(name, *(_cell(row, figure) for figure in shown), style=style)
    return table


def _cell(row: dict[str, Any], figure: str) -> str:
    if "intervals" not in row:
        return f"{row[figure]:.4f}"
    low, high = row["intervals"]["patient"][figure]
    return f"{row[figure]:.3f} ±{(high - low) / 2:.3f}"
