"""The rows of what translates images."""

from benchmarks.row import Figure, Row

_TILES = "all tiles of the test blocks, a tenth of the map's, which are scattered over all continents"
_SPECTRUM = "; the mean distance of the translations' and the targets' power at each frequency"


def _maps_row(name: str, source: str, what: str, l1: float, psnr: float | None, guess: str, *args: str) -> Row:
    by_colour = {"guess": "each pixel by its colour"}
    return Row(
        name=name,
        kind="score",
        program="programs.translations",
        system="Pix2Pix",
        config="configs/translation/pix2pix_elevation.yaml",
        budget=f"5,000 updates of 8 tiles, half an hour of a core{what}",
        seeds=(0, 1, 2),
        figures=(
            Figure(
                *("test/l1@last", "mean absolute error"),
                digits=4,
                better="lower",
                bar=l1,
                of_mean=True,
                anchor=guess,
                baseline="baseline/l1",
                **by_colour,
            ),
            Figure(
                "test/psnr@last", "PSNR, dB", digits=1, bar=psnr, of_mean=True, baseline="baseline/psnr", **by_colour
            ),
            Figure("spectrum", "distance of spectra, dB", digits=2, better="lower"),
        ),
        protocol=f"{source} into relief, tiles of 64 pixels; {_TILES}; pixels in [0, 1]{_SPECTRUM}; final weights",
        options={"baseline": "pixels_by_colour", "args": args},
        headline=not what and source == "elevation",
        elsewhere="one core, half an hour",
    )


_SATELLITE = ("--data.init_args.source", "satellite")
_WITHOUT = ("--model.init_args.adversarial", "0")
ROWS = (
    _maps_row("pix2pix_elevation", "elevation", "", 0.030, 27.0, "0.0516 (a regression of pixels)"),
    _maps_row("pix2pix_satellite", "satellite", "", 0.055, None, "0.060 (a regression of pixels)", *_SATELLITE),
    _maps_row(
        *("pix2pix_satellite_l1", "satellite", ", without a discriminator", 0.055, None),
        *("0.060 (a regression of pixels)", *_SATELLITE, *_WITHOUT),
    ),
)
