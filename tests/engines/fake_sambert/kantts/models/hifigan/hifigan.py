"""kantts/models/hifigan/hifigan.py. The folder has no __init__.py there either."""

import torch


class Generator:
    def __init__(self, channels=512, nsf_params=None):
        self.nsf_enable = nsf_params is not None
        torch.rand(channels)  # weights to begin with

    def remove_weight_norm(self):
        print("Removing weight norm...")
