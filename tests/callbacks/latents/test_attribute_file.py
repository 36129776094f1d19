"""The file of attribute vectors is read as it was written, and a wrong one is refused in one line."""

import numpy as np
import pytest

from callbacks.latents.attribute_file import AttributeFile, read_attribute_file, write_attribute_file
from dlmodules.errors import UserError

GOOD = {
    "names": np.array(["smiling", "hat"]),
    "vectors": np.array([[1, 0, 2], [0, -1, 0]], dtype=np.float32),
    "mean": np.array([0.5, 0, 0], dtype=np.float32),
    "std": np.array([1, 2, 0], dtype=np.float32),
}


def attributes():
    return AttributeFile(("smiling", "hat"), GOOD["vectors"], GOOD["mean"], GOOD["std"])


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "attribute_vectors.npz"
    write_attribute_file(path, attributes())
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    found = read_attribute_file(path)
    assert found.names == ("smiling", "hat")
    assert found.latent_dim == 3
    for name in ("vectors", "mean", "std"):
        assert getattr(found, name).dtype == np.float32
        np.testing.assert_array_equal(getattr(found, name), GOOD[name])
    with np.load(path, allow_pickle=False) as file:
        assert set(file.files) == set(GOOD)
        assert file["names"].dtype.kind == "U"


def test_no_attribute_at_all(tmp_path):
    path = tmp_path / "a.npz"
    write_attribute_file(path, AttributeFile((), np.zeros((0, 3)), GOOD["mean"], GOOD["std"]))
    assert read_attribute_file(path).names == ()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"mean": None}, "must hold `names`, `vectors`, `mean`, `std`"),
        ({"names": np.array(["a"])}, r"must be \(1, 3\) and \(3,\)"),
        ({"std": np.ones(2)}, r"`std` \(2,\)"),
        ({"mean": np.ones((3, 1))}, r"`mean` is \(3, 1\)"),
        ({"vectors": np.full((2, 3), np.nan)}, "must be finite"),
        ({"std": -np.ones(3)}, "at least 0"),
        ({"names": np.array(["a", "a"])}, "all be different"),
        ({"names": np.array([1, 2])}, "row of texts"),
        ({"names": np.array(["a", "b"], dtype=object)}, "no .npz of plain arrays"),
        ({"mean": np.array(["a", "b", "c"])}, "`mean` must be numbers"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, changed, expected):
    path = tmp_path / "wrong.npz"
    np.savez(path, **{name: value for name, value in (GOOD | changed).items() if value is not None})
    with pytest.raises(UserError, match=expected) as refused:
        read_attribute_file(path)
    assert "wrong.npz" in str(refused.value)


def test_no_file_no_archive_and_half_of_one(tmp_path):
    with pytest.raises(UserError, match="there is no file of attribute vectors"):
        read_attribute_file(tmp_path / "nowhere.npz")
    path = tmp_path / "half.npz"
    write_attribute_file(path, attributes())
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UserError, match="it is damaged"):
        read_attribute_file(path)
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(UserError, match="no file of attribute vectors"):
        read_attribute_file(tmp_path / "array.npy")
