"""Every test starts from the same seed, names and settings, whatever ran before it."""

from __future__ import annotations

import pytest

import layerkit
from layerkit import backend as K


@pytest.fixture(autouse=True)
def fresh_session():
    layerkit.utils.clear_session()
    layerkit.utils.set_random_seed(0)
    floatx, epsilon, layout = K.floatx(), K.epsilon(), K.image_data_format()
    yield
    K.set_floatx(floatx)
    K.set_epsilon(epsilon)
    K.set_image_data_format(layout)
