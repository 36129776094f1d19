from .greedy import GreedyStack as GreedyStack
from .schedules import PiecewiseConstantLR as PiecewiseConstantLR
