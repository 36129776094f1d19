from .classifiers.mlp import MLPClassifier as MLPClassifier
from .gans.dcgan import DCGAN as DCGAN
from .rl.dqn import DQN as DQN
from .vaes.vae import VAE as VAE
