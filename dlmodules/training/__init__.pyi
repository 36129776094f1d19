from .allocator import keep_freed_memory as keep_freed_memory
from .greedy import GreedyStack as GreedyStack
from .schedules import PiecewiseConstantLR as PiecewiseConstantLR
