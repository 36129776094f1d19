"""Tokens of pairs: a source with its end, and a target between its two ends."""

from dlmodules.errors import UserError
from dlmodules.sequences.tokenizers import SavedTokenizer


def ends_of(tokenizer: SavedTokenizer) -> tuple[int, int]:
    """Return the token ids of start and stop. Raises UserError where ``tokenizer`` has none."""
    if tokenizer.start_id is None or tokenizer.stop_id is None:
        raise UserError("the tokenizer of a pair needs <start> and <stop>: make it with these marks")
    return tokenizer.start_id, tokenizer.stop_id


def source_ids(tokenizer: SavedTokenizer, text: str, reverse: bool = False) -> list[int]:
    """Return the token ids of a source, from its last to its first where ``reverse``, and stop behind them."""
    ids = tokenizer.encode(text)
    return [*(reversed(ids) if reverse else ids), ends_of(tokenizer)[1]]


def target_ids(tokenizer: SavedTokenizer, text: str) -> list[int]:
    """Return the token ids of a target between start and stop."""
    start, stop = ends_of(tokenizer)
    return [start, *tokenizer.encode(text), stop]
