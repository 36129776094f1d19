"""The rows of what translates images."""

from typing import Any

from benchmarks.row import Figure, Row

_TILES = "all tiles of the test blocks, a tenth of the map's, which are scattered over all continents"
_SPECTRUM = "; the mean distance of the translations' and the targets' power at each frequency"


def _maps_row(source: str, how: str, budget: str, l1: float, psnr: float | None, guess: str, *args: str) -> Row:
    by_colour = {"guess": "each pixel by its colour"}
    return Row(
        name=f"pix2pix_{source}{how}",
        kind="score",
        program="programs.translations",
        system="Pix2Pix",
        config=f"configs/translation/pix2pix_{source}.yaml",
        budget=f"{budget} minutes of a core",
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
        headline=source == "elevation",
        elsewhere="one core, ten minutes",
    )


_READ = "; digits in the test read by a network that knows the labels of their domain"
_LEARNED = (
    "; a classifier that has seen 20,000 translated images alone, 3 times each, on the test images of the other domain"
)


def _digits_row(
    name: str,
    system: str,
    budget: str,
    protocol: str,
    figures: tuple[Figure, ...],
    photos: str,
    config: str | None = None,
    args: tuple[str, ...] = (),
    cost: str = "an hour",
    **more: Any,
) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.adaptation",
        system=system,
        config=f"configs/translation/{config or name}.yaml",
        budget=budget,
        seeds=(0, 1, 2),
        figures=figures,
        protocol=f"{protocol}; final weights",
        options={"data": photos, "args": args} if args else {"data": photos},
        cost="hours",
        elsewhere=f"one core, {cost}",
        **more,
    )


def _fruit_row(name: str, more: str, read: float | None, background: float | None, **options: Any) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.fruit",
        system="CycleGAN",
        config="configs/translation/cyclegan_fruit.yaml",
        budget=f"2,500 updates of 4 images of each domain, half an hour of a core{more}",
        seeds=(0,),
        figures=(
            Figure("read", "translated fruit read as the other kind", digits=3, bar=read),
            Figure("background", "error of a pixel where no fruit is", digits=4, better="lower", bar=background),
        ),
        protocol="500 apples and 500 oranges stamped on photographs that were not trained on; the mean of both ways;"
        " fruit read by a classifier of the training images; final weights",
        options={"data": "fruit", **options},
        cost="hours",
        elsewhere="one core, half an hour",
    )


def _adapted(
    bar: float | None, anchor: str = "", key: str = "adapted", label: str = "accuracy in the other domain"
) -> Figure:
    return Figure(
        *(key, label),
        digits=3,
        bar=bar,
        of_mean=True,
        anchor=anchor,
        baseline="source_only",
        guess="a classifier of the untranslated images",
    )


_BY_LOGITS = "the same after ADDA"


def _read(bar: float | None) -> Figure:
    return Figure("read_a2b", "translated digits read as what they are", digits=3, bar=bar, of_mean=True)


_PIXELDA = "3,600 updates of 64 images of each domain, twenty minutes of a core"
_WITH_NOISE = (
    "MNIST into MNIST-M; the module's own classifier, which has learned from images of MNIST and their translations, on"
    f" the test images of MNIST-M; translations{_READ}{_LEARNED}"
)
ROWS = (
    Row(
        name="cyclegan_cifar10_cpu",
        kind="score",
        program="programs.colours",
        system="CycleGAN",
        config="configs/translation/cyclegan_cifar10_cpu.yaml",
        budget="2,400 updates of 32 images of each domain, half an hour of two cores",
        seeds=(0, 1, 2),
        figures=(
            Figure(
                *("l1_b2a", "error of a pixel, colour into grey"),
                digits=4,
                better="lower",
                bar=0.02,
                of_mean=True,
                baseline="l1_means",
                guess="the mean of the colours",
            ),
            Figure(
                *("l1_a2b", "the same, grey into colour"),
                digits=4,
                better="lower",
                baseline="l1_grey",
                guess="grey as it is",
            ),
            Figure("test/cycle_a@last", "the same, grey and back", digits=4, better="lower", bar=0.03, of_mean=True),
            Figure("test/cycle_b@last", "the same, colour and back", digits=4, better="lower", bar=0.03, of_mean=True),
            Figure(
                *("colour_loss", "points of accuracy that coloured images lose"),
                digits=1,
                better="lower",
                bar=8.0,
                of_mean=True,
                baseline="grey_loss",
                guess="grey as it is",
            ),
            Figure(
                *("fid_coloured", "FID of coloured images"),
                digits=2,
                better="lower",
                baseline="fid_autoencoder",
                guess="the colorization autoencoder, which has learned from pairs",
            ),
            Figure("fid_ratio", "FID over the autoencoder's", digits=2, better="lower", bar=1.0, of_mean=True),
        ),
        protocol="without pairs; 10,000 test images of a copy of CIFAR10 as JPEG files, which loses some detail;"
        " pixels in [0, 1]; final weights. Coloured images are read by a ResNet-20 that has seen those in true colours"
        " for 6 epochs, and compared with the same images in true colours by FID in its 64 features, not comparable"
        " with Inception scores; the autoencoder is that of colorization_cifar10",
        options={"data": "cifar10_grey"},
        cost="hours",
        headline=True,
        elsewhere="one core, an hour, and another for the first seed",
    ),
    _maps_row("elevation", "", "5,000 updates of 8 tiles, ten", 0.030, 27.0, "0.0516 (a regression of pixels)"),
    _maps_row("satellite", "", "2,000 updates of 8 tiles, five", 0.055, None, "0.060 (a regression of pixels)"),
    _maps_row(
        *("satellite", "_l1", "2,000 updates of 8 tiles without a discriminator, three", 0.055, None),
        *("0.060 (a regression of pixels)", "--model.init_args.adversarial", "0"),
    ),
    _digits_row(
        "cyclegan_digits_cpu",
        "CycleGAN",
        "3,000 updates of 32 images of each domain, an hour of a core",
        f"MNIST into digits in print on photographs, without pairs and labels{_READ}",
        (
            Figure("test/cycle_a@last", "error of a pixel, MNIST and back", digits=4, better="lower", bar=0.03),
            _read(None),
            Figure("flips", "digits mostly read as another", digits=0, better="lower"),
        ),
        "photos_behind_b",
    ),
    _digits_row(
        "cycada_mnist_to_street",
        "CyCADA",
        "3,000 updates of 32 images of each domain, an hour of a core",
        f"MNIST into digits in print on photographs{_READ}{_LEARNED}",
        (
            _read(0.95),
            _adapted(0.75, "0.08 (source only)"),
            _adapted(None, key="logits_adapted", label=_BY_LOGITS),
        ),
        "photos_behind_b",
        headline=True,
    ),
    _digits_row(
        "cycada_street_to_mnist",
        "CyCADA",
        "3,000 updates of 32 images of each domain, an hour of a core",
        f"digits in print on photographs into MNIST{_READ}{_LEARNED}",
        (
            _read(None),
            _adapted(0.904, "0.66 (source only)"),
            _adapted(None, "0.904 (the paper, SVHN)", "logits_adapted", _BY_LOGITS),
        ),
        "photos_behind_a",
    ),
    _digits_row(
        "cycada_mnist_to_mnist_m",
        "CyCADA",
        "1,200 updates of 32 images of each domain, twenty minutes of a core",
        f"MNIST into MNIST-M{_READ}{_LEARNED}",
        (_read(None), _adapted(0.95, "0.982 (PixelDA), 0.28 to 0.64 (source only)")),
        "photos_behind_b",
    ),
    _digits_row(
        "pixelda_mnist_to_mnist_m",
        "PixelDA",
        _PIXELDA,
        _WITH_NOISE,
        (
            _adapted(0.95, "0.982 (the paper)", "test/read_b@last"),
            _adapted(None, label="the same of a classifier of translations alone"),
            _read(None),
        ),
        "photos_behind_b",
        cost="twenty minutes",
        headline=True,
    ),
    _digits_row(
        "pixelda_mnist_to_mnist_m_task",
        "PixelDA",
        f"{_PIXELDA}, without a discriminator",
        f"what is made has only to be read: {_WITH_NOISE}",
        (
            _adapted(None, key="test/read_b@last"),
            _adapted(None, label="the same of a classifier of translations alone"),
            _read(None),
        ),
        "photos_behind_b",
        config="pixelda_mnist_to_mnist_m",
        args=("--model.init_args.adversarial", "0"),
        cost="twenty minutes",
    ),
    _digits_row(
        "pixelda_mnist_to_street",
        "PixelDA",
        _PIXELDA,
        "MNIST into digits in print on photographs; the module's own classifier, which has learned from images of MNIST"
        f" and their translations, on the test images of the other domain; translations{_READ}{_LEARNED}",
        (
            _adapted(0.75, "0.08 (source only)", "test/read_b@last"),
            _adapted(None, label="the same of a classifier of translations alone"),
            _read(None),
        ),
        "photos_behind_b",
        cost="twenty minutes",
    ),
    Row(
        name="adda_street_to_mnist",
        kind="score",
        program="programs.feature_adaptation",
        system="ADDA",
        config="configs/translation/adda_street_to_mnist.yaml",
        budget="2,000 updates of 128 images of each domain, five minutes of a core",
        seeds=(0, 1, 2),
        figures=(
            Figure(
                *("test/read_b@last", "accuracy in the other domain"),
                digits=3,
                baseline="test/unadapted@last",
                guess="the classifier as it was",
            ),
        ),
        protocol="a classifier of digits in print on photographs, on the test images of MNIST; final weights",
        options={"data": "photos_behind_a"},
        headline=True,
        elsewhere="one core, five minutes",
    ),
    _fruit_row("cyclegan_fruit", "", 0.95, 0.03),
    _fruit_row(
        "cyclegan_fruit_identity_0", ", without the identity loss", None, None, args=("--model.init_args.identity", "0")
    ),
    Row(
        name="cyclegan_ukiyoe",
        kind="score",
        program="programs.paintings",
        system="CycleGAN",
        config="configs/translation/cyclegan_ukiyoe.yaml",
        budget="6,000 updates of 4 patches of each domain in bfloat16, an hour of a core",
        seeds=(0,),
        figures=(
            Figure(
                *("fooled", "translated photographs read as prints"),
                digits=3,
                bar=0.8,
                baseline="untranslated",
                guess="the photographs as they are",
            ),
            Figure("recoloured", "photographs in the prints' mean colours read as prints", digits=3),
            Figure(
                *("edges", "correlation of the edges with the photograph's"),
                digits=3,
                bar=0.6,
                baseline="edges_of_another",
                guess="those of another photograph's translation",
            ),
        ),
        protocol="400 patches of 56 photographs that were not trained on; nine prints of Hokusai and Hiroshige, of each"
        " of which the last quarter along its longer side is for the test alone; patches of 64 pixels, of photographs"
        " 160 and of prints 224 pixels across the shorter side; read by a classifier of the training patches; edges by"
        " Sobel in grey, the mean of each patch's correlation; final weights",
        options={"data": "ukiyoe", "args": ("--trainer.precision", "bf16-mixed")},
        cost="hours",
        elsewhere="one core, an hour",
    ),
)
