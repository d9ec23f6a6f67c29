"""The small Fashion-MNIST classifier whose features the sample metrics are measured in."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from genai_utils.models.shapes import IMAGE, check_examples


def _block(channels_in: int, channels_out: int) -> nn.Sequential:
    convolution = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels_out), nn.ReLU())


class FashionClassifier(nn.Module):
    """Convolutional network for images (n, 1, 28, 28) in [-1, 1]; its last hidden layer gives 64 features.

    Trained by ``recipes.classifier``; trained weights: ``zoo.load("fashion-classifier")``.
    """

    num_features = 64

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _block(1, 24),
            nn.MaxPool2d(2),  # 14 x 14
            _block(24, 48),
            nn.MaxPool2d(2),  # 7 x 7
            _block(48, 64),
            _block(64, 64),
            nn.MaxPool2d(2),  # 3 x 3
            nn.Flatten(),
        )
        self.hidden = nn.Linear(64 * 3 * 3, self.num_features)
        self.head = nn.Linear(self.num_features, 10)

    def features(self, images: Tensor) -> Tensor:
        """Last hidden layer, after its ReLU. images: (n, 1, 28, 28) in [-1, 1] -> (n, 64), >= 0."""
        check_examples(images, IMAGE, self)
        return F.relu(self.hidden(self.body(images)))

    def forward(self, images: Tensor) -> Tensor:
        """Class logits. images: (n, 1, 28, 28) in [-1, 1] -> (n, 10)."""
        return self.head(self.features(images))
