from .cifar10 import CIFAR10DataModule as CIFAR10DataModule
from .digits import DigitsDataModule as DigitsDataModule
from .environment import EnvironmentDataModule as EnvironmentDataModule
from .fashion_mnist import FashionMNISTDataModule as FashionMNISTDataModule
from .image_folder import ImageFolderDataModule as ImageFolderDataModule
from .mnist import MNISTDataModule as MNISTDataModule
from .tensor_dataset import TensorImageDataset as TensorImageDataset
from .vision import VisionDataModule as VisionDataModule
