import numpy as np

from services.image_index.pictures.square import to_square


def test_shrinking_averages_and_does_not_skip_pixels() -> None:
    checkerboard = (np.indices((512, 512)).sum(axis=0) % 2 * 255).astype(np.uint8)

    assert np.abs(to_square(checkerboard, 64).astype(int) - 127).max() <= 2


def test_the_whole_picture_is_kept_when_its_sides_differ() -> None:
    picture = np.zeros((300, 200), dtype=np.uint8)
    picture[:, :20] = picture[:, -20:] = 200
    square = to_square(picture, 100)

    assert square.shape == (100, 100)
    assert (square[:, :9] > 190).all()
    assert (square[:, -9:] > 190).all()


def test_a_square_of_the_right_size_is_left_as_it_is() -> None:
    picture = np.arange(64, dtype=np.uint8).reshape(8, 8)

    assert to_square(picture, 8) is picture
