"""IAM-OnDB: a made-up tree in its form."""

from pathlib import Path

import pytest

from datamodules import IAMStrokesDataModule, LetterStrokesDataModule
from datamodules.strokes.iam import read_line, read_transcript
from dlmodules.errors import UserError

XML = """<?xml version="1.0" encoding="ISO-8859-1"?>
<WhiteboardCaptureSession>
    <WhiteboardDescription>
        <SensorLocation corner="top_left"/>
        <DiagonallyOppositeCoords x="6512" y="1376"/>
    </WhiteboardDescription>
    <StrokeSet>
        <Stroke colour="black" start_time="769.05" end_time="769.64">
            <Point x="1073" y="1058" time="769.05"/>
            <Point x="1072" y="1085" time="769.07"/>
        </Stroke>
        <Stroke colour="black" start_time="769.70" end_time="769.90">
            <Point x="1176" y="1237" time="769.70"/>
        </Stroke>
    </StrokeSet>
</WhiteboardCaptureSession>
"""
TRANSCRIPT = "OCR:\n\nA M0VE to\nst0p Mr.\n\nCSR:\n\nA MOVE to\nstop Mr.\n\n"
FORMS = {"trainset.txt": ("a01-000u", "a01-003z"), "testset_v.txt": ("b02-010",), "testset_f.txt": ("c03-045w",)}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with a data set of four forms of two lines each."""
    root = tmp_path / "iam_ondb"
    for name, forms in FORMS.items():
        for form in forms:
            strokes = root / "lineStrokes-all" / "lineStrokes" / form[:3] / form[:7]
            texts = root / "ascii-all" / "ascii" / form[:3] / form[:7]
            for folder in (strokes, texts):
                folder.mkdir(parents=True, exist_ok=True)
            (texts / f"{form}.txt").write_text(TRANSCRIPT)
            for line in (1, 2):
                (strokes / f"{form}-{line:02}.xml").write_text(XML)
        (root / name).write_text("\n".join(forms) + "\n")
    return tmp_path


def test_strokes_are_read_with_y_upwards(tree: Path) -> None:
    path = next(tree.rglob("a01-000u-01.xml"))
    assert [stroke.tolist() for stroke in read_line(path)] == [[[1073, -1058], [1072, -1085]], [[1176, -1237]]]


def test_what_was_written_is_read_and_not_what_it_was_taken_for() -> None:
    assert read_transcript(TRANSCRIPT, "here") == ["A MOVE to", "stop Mr."]
    with pytest.raises(UserError, match="here has no section CSR:"):
        read_transcript("OCR:\n\nA M0VE\n", "here")


def test_lines_have_their_texts_and_parts_their_forms(tree: Path) -> None:
    data = IAMStrokesDataModule(data_dir=str(tree), batch_size=2)
    data.prepare_data()
    data.setup()
    assert [len(data.read(part)) for part in ("train", "val", "test")] == [4, 2, 2]
    written = ["".join(data.alphabet[number - 1] for number in line.characters) for line in data.read("train")]
    assert written == ["A MOVE to", "stop Mr."] * 2
    strokes, text = next(iter(data.train_dataloader()))
    assert (strokes.shape, text.shape[0]) == ((2, 3, 3), 2)
    assert strokes[0, :, 2].tolist() == [0, 1, 1]
    assert (strokes[0, :, :2] * data.scale)[1:].flatten().tolist() == pytest.approx([-1, -27, 104, -152], rel=1e-5)


def test_lines_that_cannot_be_used_are_left_out(tree: Path) -> None:
    next(tree.rglob("a01-000u-02.xml")).unlink()  # as some are in the data set itself
    next(tree.rglob("a01-003z.txt")).write_text("CSR:\n\nA MÖVE to\nstop Mr.\n", encoding="utf-8")
    next(tree.rglob("a01-003z-02.xml")).write_text(XML.replace("<Point", "<Pint", 2).replace("/Point", "/Pint"))
    assert len(IAMStrokesDataModule(data_dir=str(tree)).read("train")) == 1


def test_what_is_missing_or_of_another_form_is_told(tree: Path) -> None:
    path = next(tree.rglob("a01-000u-01.xml"))
    for text in ("no XML", XML.replace('x="1073"', 'u="1073"'), XML.replace('"1073"', '"far"')):
        path.write_text(text)
        with pytest.raises(UserError, match=r"a01-000u-01.xml is no line of IAM-OnDB: "):
            read_line(path)
    (tree / "iam_ondb" / "trainset.txt").unlink()
    with pytest.raises(UserError, match=r"has no trainset.txt: register at .*or use LetterStrokesDataModule"):
        IAMStrokesDataModule(data_dir=str(tree)).prepare_data()


def test_made_up_letters_stand_in() -> None:
    assert isinstance(IAMStrokesDataModule.small(), LetterStrokesDataModule)
