from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deblurcli.pictures import tiling


@st.composite
def layouts(draw):
    multiple = draw(st.sampled_from([1, 2, 8, 16]))
    halo = draw(st.integers(0, 40))
    overlap = draw(st.sampled_from([0, 2, 8, 16]))
    tile = tiling.padded(2 * halo + overlap + draw(st.integers(multiple, 200)), multiple) + multiple
    length = multiple * draw(st.integers(1, 200))
    return length, tile, halo, overlap, multiple


@given(layouts())
def test_tiles_cover_the_axis_within_bounds(layout):
    length, tile, halo, _, multiple = layout
    axis = tiling.spans(*layout)
    assert axis[0].keep_start == axis[0].start == 0 and axis[-1].keep_stop == axis[-1].stop == length
    for span in axis:
        assert span.start % multiple == 0 and (span.stop - span.start) % multiple == 0
        assert span.stop - span.start <= tile
        assert span.start <= span.keep_start < span.keep_stop <= span.stop
        assert span.start == 0 or span.keep_start - span.start >= halo
        assert span.stop == length or span.stop - span.keep_stop >= halo


@given(layouts())
def test_neighbours_share_the_overlap(layout):
    axis = tiling.spans(*layout)
    assert all(left.keep_stop - right.keep_start == layout[3] for left, right in pairwise(axis))


@given(layouts())
def test_blend_weights_sum_to_one_everywhere(layout):
    axis = tiling.spans(*layout)
    total = np.zeros(layout[0])
    for span, weight in zip(axis, tiling.weights(axis)):
        assert len(weight) == span.keep_stop - span.keep_start and weight.min() >= 0
        total[span.keep_start : span.keep_stop] += weight
    np.testing.assert_allclose(total, 1, atol=1e-6)


def test_tiles_are_no_larger_than_their_number_needs():
    axis = tiling.spans(4000, 512, 64, 8, 8)
    assert len(axis) == 11 and {span.stop - span.start for span in axis} == {496}


def test_a_short_axis_is_one_tile():
    assert tiling.spans(64, 128, 16, 8, 8) == [tiling.Span(0, 64, 0, 64)]


def test_a_tile_too_small_to_advance_is_refused():
    with pytest.raises(ValueError, match="too small"):
        tiling.spans(1000, 64, 32, 8, 8)


@given(st.integers(1, 10**6), st.integers(1, 64))
def test_padded_is_the_next_multiple(length, multiple):
    assert tiling.padded(length, multiple) % multiple == 0
    assert length <= tiling.padded(length, multiple) < length + multiple
