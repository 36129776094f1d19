"""``play``: against a checkpoint or a search, in the terminal; or two of these against each other."""

import sys

from jsonargparse import Namespace

from datamodules.games import make_game
from dlmodules.errors import UserError
from dlmodules.protocols.games import Analyses, Game, Player, PlaysGames
from dlmodules.rl.search.arena import arena
from dlmodules.rl.search.players import make_player
from dlmodules_cli.commands import show
from dlmodules_cli.loading import import_own, load_trained
from dlmodules_cli.play.human import HumanPlayer, QuitError
from dlmodules_cli.play.match import Screen, play_game

GAME = "connect_four"
OPPONENT = "uct:1000"


def play(chosen: Namespace) -> None:
    """Run ``play`` with its options."""
    import_own(chosen.imports)
    game, opponent = _opponent(chosen)
    screen = Screen(lambda text: show(text.rstrip("\n")))
    if chosen.watch is None:
        hint = screen.hint(opponent, opponent.name) if isinstance(opponent, Analyses) else None
        player: Player = HumanPlayer(hint, _ask)
    else:
        player = make_player(chosen.watch, chosen.seed + 1) if chosen.watch else _opponent(chosen, chosen.seed + 1)[1]
    if chosen.games > 1:
        _play_match(game, player, opponent, chosen.games, chosen.seed)
        return
    try:
        play_game(game, (player, opponent) if chosen.begin else (opponent, player), screen)
    except (QuitError, KeyboardInterrupt) as ended:
        print()
        if isinstance(ended, KeyboardInterrupt):
            raise
        print("bye")


def _opponent(chosen: Namespace, seed: int | None = None) -> tuple[Game, Player]:
    """Return the game and the opponent: that of the checkpoint, or the one that is named."""
    seed = chosen.seed if seed is None else seed
    if chosen.ckpt_path is None:
        return make_game(chosen.game or GAME), make_player(chosen.opponent or OPPONENT, seed)
    module, _ = load_trained(chosen.ckpt_path, ema=True)
    if not isinstance(module, PlaysGames):
        raise UserError(f"{type(module).__name__} plays no games of two players: it must have game_name and player")
    if chosen.game not in (None, module.game_name):
        raise UserError(f"--game is {chosen.game}; the checkpoint plays {module.game_name}")
    from dlmodules_cli.episodes import check_game  # with it all that films episodes, which a search does not need

    check_game(module.game_name)
    return make_game(module.game_name), module.player(chosen.simulations)


def _ask(prompt: str) -> str:
    word = input(prompt)
    if not sys.stdin.isatty():
        print(word)  # as a terminal would have shown it
    return word


def _play_match(game: Game, player: Player, opponent: Player, games: int, seed: int) -> None:
    found = arena(game, player, opponent, games, seed)
    low, high = found.interval()
    show(
        f"{player.name} against {opponent.name}, {found.games} games of {game.name}: {found.wins} won"
        f" ({found.wins_first} with the first move), {found.draws} drawn, {found.losses} lost;"
        f" wins {found.wins / found.games:.1%}, 95 % interval {low:.1%} to {high:.1%}"
    )
