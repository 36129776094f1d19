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
        budget=f"5,000 updates of 8 tiles, ten minutes of a core{what}",
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
            Figure("spectrum_a2b", "distance of spectra, dB", digits=2, better="lower"),
        ),
        protocol=f"{source} into relief, tiles of 64 pixels; {_TILES}; pixels in [0, 1]{_SPECTRUM}; final weights",
        options={"baseline": "pixels_by_colour", "args": args},
        headline=not what and source == "elevation",
        elsewhere="one core, ten minutes",
    )


_SATELLITE = ("--data.init_args.source", "satellite")
_WITHOUT = ("--model.init_args.adversarial", "0")
ROWS = (
    Row(
        name="cyclegan_cifar10_cpu",
        kind="score",
        program="programs.translations",
        system="CycleGAN",
        config="configs/translation/cyclegan_cifar10_cpu.yaml",
        budget="2,400 updates of 32 images of each domain, half an hour of two cores",
        seeds=(0, 1, 2),
        figures=(
            Figure("l1_b2a", "error of a pixel, colour into grey", digits=4, better="lower", bar=0.02, of_mean=True),
            Figure("l1_a2b", "the same, grey into colour", digits=4, better="lower"),
            Figure("test/cycle_a@last", "the same, grey and back", digits=4, better="lower", bar=0.03, of_mean=True),
            Figure("test/cycle_b@last", "the same, colour and back", digits=4, better="lower", bar=0.03, of_mean=True),
        ),
        protocol="without pairs; 10,000 test images of a copy of CIFAR10 as JPEG files, which loses some detail;"
        " pixels in [0, 1]; final weights",
        options={"data": "cifar10_grey"},
        headline=True,
        elsewhere="one core, half an hour to an hour",
    ),
    _maps_row("pix2pix_elevation", "elevation", "", 0.030, 27.0, "0.0516 (a regression of pixels)"),
    _maps_row("pix2pix_satellite", "satellite", "", 0.055, None, "0.060 (a regression of pixels)", *_SATELLITE),
    _maps_row(
        *("pix2pix_satellite_l1", "satellite", ", without a discriminator", 0.055, None),
        *("0.060 (a regression of pixels)", *_SATELLITE, *_WITHOUT),
    ),
)
