"""Fashion-MNIST, by way of torchvision."""

from datamodules.images.mnist import MNISTDataModule


class FashionMNISTDataModule(MNISTDataModule):
    """Fashion-MNIST: 60,000 pictures of clothes to train and validate, 10,000 to test, 28x28 grey.

    Read from ``<data_dir>/FashionMNIST/raw``, torchvision's own place, and downloaded there where missing.
    Arguments and errors are those of ``MNISTDataModule``.
    """

    names = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
    source = "FashionMNIST"
