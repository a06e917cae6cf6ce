"""An encoder of digits: a small network that learns to keep distances, with no decoder."""

from __future__ import annotations

import torch
from torch import nn


def make_encoder(n_inputs: int, code_size: int) -> nn.Module:
    """Return the network, not trained."""
    return nn.Sequential(
        nn.Linear(n_inputs, 128),
        nn.ReLU(),
        nn.Dropout(0.05),
        nn.Linear(128, code_size),
    )


def train(encoder: nn.Module, points: torch.Tensor, epochs: int = 60, batch_size: int = 64) -> nn.Module:
    """Train codes to be as far apart as their points, for all pairs of each batch; return the encoder in eval mode."""
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.003)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    encoder.train()
    for _ in range(epochs):
        for batch in points[torch.randperm(len(points))].split(batch_size):
            loss = nn.functional.mse_loss(torch.pdist(encoder(batch)), torch.pdist(batch))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return encoder.eval()
