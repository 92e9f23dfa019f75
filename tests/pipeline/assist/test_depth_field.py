import numpy as np

from zipmap_app.pipeline.assist.depth_field import fit_field, flat_field


def grid_of_places(n):
    rng = np.random.default_rng(0)
    return rng.uniform(0, 1, (n, 2))


def test_a_slope_across_the_picture_is_found_within_a_few_frames():
    places = grid_of_places(150)
    wanted = 0.3 + 0.4 * (places[:, 0] - 0.5)
    field = flat_field(0.0)
    for _ in range(5):
        field = fit_field(places, wanted, np.full(150, 0.02), field, prior_points=0.1)
    factor = np.log(field.factor((72, 96)))
    np.testing.assert_allclose(factor[36, [10, 48, 86]], [0.14, 0.3, 0.46], atol=0.05)
    np.testing.assert_allclose(field.at(places), wanted, atol=0.06)
    assert field.factor((72, 96)).dtype == np.float32


def test_outliers_and_unsure_points_count_little():
    places = grid_of_places(100)
    ratio, sigma = np.full(100, 0.2), np.full(100, 0.02)
    ratio[:10] = 3.0
    ratio[10:40], sigma[10:40] = -1.0, 5.0
    field = fit_field(places, ratio, sigma, flat_field(0.0), prior_points=0.1)
    np.testing.assert_allclose(np.log(field.factor((10, 10))), 0.2, atol=0.06)


def test_nothing_known_leaves_the_field_before():
    field = fit_field(np.empty((0, 2)), np.empty(0), np.empty(0), flat_field(0.25), prior_points=10)
    np.testing.assert_allclose(np.log(field.factor((6, 8))), 0.25, atol=1e-6)
