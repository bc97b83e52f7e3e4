import numpy as np
import pytest

from diet_core.scoring.neighbours import most_similar, unit_vectors


@pytest.fixture
def vectors():
    return unit_vectors(np.random.default_rng(0).normal(size=(9000, 12)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_unit_vectors_have_length_one_and_the_same_direction(dtype):
    features = np.random.default_rng(1).normal(size=(50, 6)).astype(dtype)
    found = unit_vectors(features)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(found * np.linalg.norm(features, axis=1, keepdims=True), features, atol=5e-3)


def test_what_has_no_direction_is_like_nothing():
    found = unit_vectors(np.array([[0, 0], [np.inf, 1], [np.nan, 1], [65504, 65504]], np.float16))
    assert found[:3].tolist() == [[0, 0]] * 3
    np.testing.assert_allclose(found[3], [2**-0.5] * 2, rtol=1e-6)


@pytest.mark.parametrize("n_queries", [1, 3, 70])
def test_most_similar_rows_are_those_of_a_full_sort(vectors, n_queries):
    queries = vectors[:n_queries]
    rows, similarities = most_similar(queries, vectors, 7)
    cosines = queries.astype(float) @ vectors.T.astype(float)
    np.testing.assert_array_equal(rows, np.argsort(-cosines, axis=1, kind="stable")[:, :7])
    np.testing.assert_allclose(similarities, -np.sort(-cosines, axis=1)[:, :7], atol=1e-6)
    assert rows[:, 0].tolist() == list(range(n_queries))


def test_equal_similarities_come_in_the_order_of_the_rows():
    vectors = unit_vectors(np.array([[1, 1], [1, 0], [2, 0], [3, 0], [0, 1]]))
    assert most_similar(vectors[1:2], vectors, 4)[0].tolist() == [[1, 2, 3, 0]]


@pytest.mark.parametrize(("n", "k"), [(3, 5), (0, 5), (3, 0)])
def test_fewer_rows_than_wanted_are_all_there_are(vectors, n, k):
    rows, similarities = most_similar(vectors[:2], vectors[:n], k)
    assert rows.shape == similarities.shape == (2, min(n, k))
