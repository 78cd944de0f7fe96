"""funasr/train_utils/set_all_random_seed.py; there is no torch here to be seeded."""

import random

import numpy as np


def set_all_random_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
