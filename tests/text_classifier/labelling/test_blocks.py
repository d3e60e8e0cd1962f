import threading

import pytest

from services.text_classifier.labelling.blocks import Block, in_blocks
from services.text_classifier.labelling.source import SourceRow
from services.text_classifier.labelling.tally import Tally


@pytest.mark.parametrize("workers", [1, 3])
def test_blocks_come_in_order_and_no_more_of_the_source_is_held_than_is_worked_on(workers):
    taken = 0

    def rows():
        nonlocal taken
        for line in range(1000):
            taken += 1
            yield SourceRow(line, [str(line)])

    given = 0
    for block in in_blocks(
        rows(), lambda block: Block(tally=Tally(len(block), block[0].line)), block=7, workers=workers
    ):
        assert block.tally.not_english == given  # the first line, in this test
        given += block.tally.labelled
        assert taken <= given + 7 * workers
    assert given == 1000


def test_blocks_are_worked_on_side_by_side():
    both = threading.Barrier(2, timeout=10)

    def work(_rows):
        both.wait()
        return Block()

    rows = [SourceRow(line, []) for line in range(4)]
    assert len([*in_blocks(rows, work, block=1, workers=2)]) == 4


def test_what_was_not_begun_is_left_where_nobody_wants_more():
    begun = []

    def work(rows):
        begun.append(rows[0].line)
        return Block()

    blocks = in_blocks((SourceRow(line, []) for line in range(1000)), work, block=1, workers=2)
    next(blocks)
    blocks.close()
    assert len(begun) <= 3
