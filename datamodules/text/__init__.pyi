from .aesop import AesopDataModule as AesopDataModule
from .corpora import TinyShakespeareDataModule as TinyShakespeareDataModule
from .corpora import WarAndPeaceDataModule as WarAndPeaceDataModule
from .corpus import CorpusDataModule as CorpusDataModule
from .imdb import IMDBDataModule as IMDBDataModule
from .text import TextDataModule as TextDataModule
from .text_table import TextTableDataModule as TextTableDataModule
from .toy_sentiment import ToySentimentDataModule as ToySentimentDataModule
