"""From features of chest radiographs and of other pictures to the parameters of the gate."""

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from services.image_index.encoding.chest_gate import Parameters
from services.image_index.encoding.chest_gate.features import Features

COMPONENTS, HIDDEN, NETWORKS, DECAY, EPOCHS = 96, 32, 3, 3e-2, 20
REFUSED = 0.003  # of the validation radiographs: those score less than 0.5
_SCALE = 3.0  # of the network's logits, which training drives apart until nothing is in doubt


def fit(chests: Features, others: Features, *, components: int = COMPONENTS, epochs: int = EPOCHS) -> Parameters:
    """(N, F) and (M, F). Several networks from different starts, whose mean logit is one network of all their units."""
    space = _space(chests, components)
    inputs = space.coordinates(np.concatenate([chests, others]))
    is_chest = np.repeat([1, 0], [len(chests), len(others)])
    networks = [_network(inputs, is_chest, seed, epochs) for seed in range(NETWORKS)]
    return replace(
        space,
        hidden=np.concatenate([network.coefs_[0] for network in networks], axis=1).astype(np.float32),
        hidden_bias=np.concatenate([network.intercepts_[0] for network in networks]).astype(np.float32),
        output=(np.concatenate([network.coefs_[1].ravel() for network in networks]) / NETWORKS).astype(np.float32),
        output_bias=np.mean([network.intercepts_[1] for network in networks], axis=0, dtype=np.float32),
    )


def calibrated(parameters: Parameters, validation: Sequence[Features]) -> Parameters:
    """So that 0.5 parts off REFUSED of each set of validation radiographs, or less."""
    logits = (parameters.logit(parameters.coordinates(features)) for features in validation)
    least = min(float(np.quantile(of_set, REFUSED)) for of_set in logits)
    return replace(
        parameters,
        output=parameters.output / np.float32(_SCALE),
        output_bias=(parameters.output_bias - np.float32(least)) / np.float32(_SCALE),
    )


def _space(chests: Features, count: int) -> Parameters:
    """Principal components; no network yet."""
    centre = chests.mean(axis=0, dtype=np.float64)
    offset = chests - centre
    values, vectors = np.linalg.eigh(offset.T @ offset / len(chests))  # ascending
    lengths = np.sqrt(values[::-1][:count])
    components = vectors[:, ::-1][:, :count]
    largest = components[np.abs(components).argmax(axis=0), np.arange(count)]
    components = components * np.sign(largest)  # an eigenvector may point either way
    left_over = np.log((offset**2).sum(axis=1) - ((offset @ components) ** 2).sum(axis=1))
    arrays = {
        "centre": centre,
        "components": components / lengths,
        "lengths": lengths,
        "residual": np.array([left_over.mean(), left_over.std()]),
        "hidden": np.zeros((count + 2, 0)),
        "hidden_bias": np.zeros(0),
        "output": np.zeros(0),
        "output_bias": np.zeros(1),
    }
    return Parameters(**{name: array.astype(np.float32) for name, array in arrays.items()})


def _network(inputs: Features, is_chest: NDArray[np.int64], seed: int, epochs: int) -> MLPClassifier:
    network = MLPClassifier(
        (HIDDEN,),
        alpha=DECAY,
        batch_size=min(512, len(inputs) // 8 + 1),
        learning_rate_init=4e-3,
        max_iter=epochs,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # so many epochs are what is wanted
        return network.fit(inputs, is_chest)
