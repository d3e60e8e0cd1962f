"""Whether a picture is a frontal chest radiograph at all, from its pixels alone, whichever encoder is in use."""

from services.image_index.encoding.chest_gate.gate import ChestGate, Parameters, shipped_gate

__all__ = ["ChestGate", "Parameters", "shipped_gate"]
