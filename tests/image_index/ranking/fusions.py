"""Images with and without a report, and how both are fused."""

import numpy as np

from services.image_index.ranking.fusion import Fusion, Known
from services.image_index.ranking.log_odds import Evidence, logit
from services.image_index.ranking.prior import shipped_prior
from services.image_index.ranking.trust import AS_IT_IS


def known(images, seed=0, share=0.5):
    """So many, of which a share has a report."""
    rng = np.random.default_rng(seed)
    reported = rng.random(images) < share
    reports = np.where(reported, rng.uniform(-6, 6, (14, images)), 0.0).astype(np.float16)
    return Known(rng.random((14, images)).astype(np.float32), reports, reported)


def fusion(evidence="all", *, silent=(), reports=1.0):
    return Fusion(
        evidence=evidence,
        pictures=Evidence((1.0,) * 14, (1.5,) * 14),
        calibration=AS_IT_IS,
        silent=tuple(label in silent for label in range(14)),
        usual=tuple(logit(shipped_prior().base_rates).tolist()),
        reports=reports,
    )
