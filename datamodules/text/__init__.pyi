from .bit_counts import BitCountsDataModule as BitCountsDataModule
from .imdb import IMDBDataModule as IMDBDataModule
from .text import TextDataModule as TextDataModule
from .text_table import TextTableDataModule as TextTableDataModule
from .toy_sentiment import ToySentimentDataModule as ToySentimentDataModule
