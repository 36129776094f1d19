"""Scikit-learn's estimators as modules: the same answers, steps that count, checkpoints without pickles."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, SVR
from torch.utils.data import DataLoader, TensorDataset

from datamodules import DigitsDataModule, IrisDataModule
from dlmodules import EstimatorClassifier
from dlmodules.errors import UserError
from dlmodules.estimators.builders import estimator_settings, make_estimator
from tests.quiet import quiet_trainer

FOREST = {"class_path": "sklearn.ensemble.RandomForestClassifier", "init_args": {"n_estimators": 5, "max_depth": 2}}


def fit(module, data, folder, **kwargs):
    trainer = quiet_trainer(**{"max_epochs": 1} | kwargs, default_root_dir=folder)
    trainer.fit(module, data)
    return trainer


def loader(x, y, batch_size=2):
    return DataLoader(TensorDataset(torch.tensor(x), torch.tensor(y)), batch_size=batch_size)


def test_it_answers_as_the_estimator_itself(tmp_path):
    module, data = EstimatorClassifier("sklearn.naive_bayes.GaussianNB"), IrisDataModule()
    trainer = fit(module, data, tmp_path)
    data.setup("test")
    alone = GaussianNB().fit(data.train_set.x.numpy(), data.train_set.y.numpy())
    x, y = data.test_set.x, data.test_set.y
    assert module.classify(x).tolist() == alone.predict(x.numpy()).tolist()
    assert np.allclose(module(x).numpy(), alone.predict_proba(x.numpy()), atol=1e-5)
    accuracy = trainer.test(module, data, verbose=False)[0]["test/accuracy"]
    assert accuracy == pytest.approx(alone.score(x.numpy(), y.numpy()))


def test_each_batch_is_one_step_and_each_epoch_the_same_rows(tmp_path):
    module = EstimatorClassifier("sklearn.naive_bayes.GaussianNB")
    trainer = fit(module, IrisDataModule(batch_size=16), tmp_path, max_epochs=2)
    assert trainer.global_step == 12
    assert module.train_x.shape == (96, 4)
    assert set(trainer.callback_metrics) == {"train/accuracy", "val/accuracy"}


def test_max_steps_is_kept(tmp_path):
    module = EstimatorClassifier("sklearn.naive_bayes.GaussianNB")
    assert fit(module, IrisDataModule(batch_size=8), tmp_path, max_epochs=-1, max_steps=5).global_step == 5
    assert len(module.train_y) == 40


def test_clusters_get_the_label_of_most_of_their_rows(tmp_path):
    module = EstimatorClassifier({"class_path": "sklearn.cluster.KMeans", "init_args": {"n_clusters": 2, "n_init": 3}})
    fit(module, loader([[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]], [2, 2, 0, 1, 0, 1]), tmp_path)
    assert module.classify(torch.tensor([[0.3], [8.0]])).tolist() == [2, 1]
    assert module(torch.tensor([[8.0]])).tolist() == [[0.0, 1.0, 0.0]]


def test_a_class_that_was_never_seen_has_probability_0(tmp_path):
    module = EstimatorClassifier("sklearn.naive_bayes.GaussianNB", num_classes=4)
    fit(module, loader([[0.0], [0.1], [5.0], [5.1]], [3, 3, 1, 1]), tmp_path)
    found = module(torch.tensor([[0.05], [5.05]]))
    assert found.argmax(dim=1).tolist() == [3, 1]
    assert found[:, [0, 2]].tolist() == [[0.0, 0.0]] * 2


def test_images_are_read_pixel_by_pixel(tmp_path):
    module = EstimatorClassifier("sklearn.naive_bayes.GaussianNB", num_classes=10)
    data = DigitsDataModule(image_size=8)
    trainer = fit(module, data, tmp_path)
    assert trainer.test(module, data, verbose=False)[0]["test/accuracy"] > 0.7


def test_a_checkpoint_refits_to_the_same_forest(tmp_path):
    torch.manual_seed(0)
    module, data = EstimatorClassifier(FOREST), IrisDataModule()
    fit(module, data, tmp_path).save_checkpoint(tmp_path / "forest.ckpt")
    again = EstimatorClassifier.load_from_checkpoint(tmp_path / "forest.ckpt", weights_only=True)
    x = data.val_set.x
    assert again.settings == module.settings
    assert torch.equal(again(x), module(x))
    other = EstimatorClassifier(FOREST)  # another draw of the random state is another forest
    fit(other, data, tmp_path)
    assert not torch.equal(other(x), module(x))


def test_a_module_that_has_rows_takes_other_rows(tmp_path):
    module = EstimatorClassifier("sklearn.naive_bayes.GaussianNB")
    fit(module, loader([[0.0], [0.1], [5.0], [5.1]], [0, 0, 1, 1]), tmp_path)
    state = module.state_dict()
    assert state["train_x"].shape == (4, 1)
    fit(module, loader([[0.0], [5.0], [0.1], [5.2], [4.9], [0.2]], [1, 0, 1, 0, 0, 1]), tmp_path)
    assert module.classify(torch.tensor([[0.0]])).tolist() == [1]
    module.load_state_dict(state)
    assert module.classify(torch.tensor([[0.0]])).tolist() == [0]


def test_live_estimators_are_taken_by_their_settings(tmp_path):
    pipeline = Pipeline([("scale", StandardScaler()), ("svm", SVC(C=np.float64(3.0), kernel="linear"))])
    module, data = EstimatorClassifier(pipeline), IrisDataModule()
    (_, scale), (_, svm) = module.settings["init_args"]["steps"]
    assert scale["class_path"] == "sklearn.preprocessing.StandardScaler"
    assert (svm["class_path"], svm["init_args"]["C"]) == ("sklearn.svm.SVC", 3.0)
    fit(module, data, tmp_path).save_checkpoint(tmp_path / "svm.ckpt")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*cannot be rebuilt.*")
        again = EstimatorClassifier.load_from_checkpoint(tmp_path / "svm.ckpt", weights_only=True)
    assert again.settings == module.settings
    expected = pipeline.fit(data.train_set.x.numpy(), data.train_set.y.numpy()).predict(data.val_set.x.numpy())
    assert again.classify(data.val_set.x).tolist() == expected.tolist()


def test_a_checkpoint_makes_no_class_but_estimators(tmp_path):
    module = EstimatorClassifier("sklearn.naive_bayes.GaussianNB")
    trainer = fit(module, IrisDataModule(), tmp_path)
    trace = tmp_path / "trace"
    command = {"class_path": "subprocess.Popen", "init_args": {"args": ["touch", str(trace)]}}
    for estimator in (command, {"class_path": "sklearn.svm.SVC", "init_args": {"kernel": command}}):
        trainer.save_checkpoint(tmp_path / "evil.ckpt")
        content = torch.load(tmp_path / "evil.ckpt", weights_only=True)
        content["hyper_parameters"]["estimator"] = estimator
        torch.save(content, tmp_path / "evil.ckpt")
        with pytest.raises((UserError, ValueError), match=r"subprocess\.Popen is no estimator known here"):
            EstimatorClassifier.load_from_checkpoint(tmp_path / "evil.ckpt", weights_only=True)
    assert not trace.exists()


def test_random_states_that_are_set_stay_and_the_others_are_set():
    nested = {"class_path": "sklearn.ensemble.AdaBoostClassifier", "init_args": {"estimator": FOREST}}
    made = make_estimator(nested, 7)
    assert (made.random_state, made.estimator.random_state, made.estimator.n_estimators) == (7, 7, 5)
    own = make_estimator(estimator_settings(RandomForestClassifier(random_state=3)), 7)
    assert own.random_state == 3


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        ("sklearn.svm.SVX", "sklearn.svm.SVX is no estimator known here"),
        ("sklearn.nothing.SVC", "there is no module sklearn.nothing in scikit-learn"),
        ("subprocess.Popen", "subprocess.Popen is no estimator known here"),
        ("SVC", "SVC is no estimator known here"),
        ({"class_path": "sklearn.svm.SVC", "C": "10"}, "estimator has 'C' beside class_path and init_args"),
        ({"init_args": {}}, "it needs a class_path such as sklearn.svm.SVC"),
        ({"class_path": "sklearn.svm.SVC", "init_args": {"c": 1}}, r"SVC cannot be made: .*'c'.* settings are: C,"),
        (SVR(), "SVR predicts numbers; take an estimator of classes or of clusters"),
        (PCA(), "PCA cannot predict the class or cluster of a new row"),
        (SVC, "give an estimator of scikit-learn, or its import path"),
        (Pipeline([("f", FunctionTransformer(np.log)), ("k", KMeans())]), r"FunctionTransformer.func is a ufunc"),
        (Pipeline([("k", KMeans())], memory="cache"), "memory reads pickles"),
    ],
)
def test_an_estimator_that_will_not_do_is_named(estimator, message):
    with pytest.raises(UserError, match=message):
        EstimatorClassifier(estimator)


def test_mistakes_in_a_run_are_named(tmp_path):
    bayes = "sklearn.naive_bayes.GaussianNB"
    with pytest.raises(UserError, match=r"outside 0..1 \(labels here: 0..2\)"):
        fit(EstimatorClassifier(bayes, num_classes=2), loader([[0.0], [1.0]], [0, 2]), tmp_path)
    with pytest.raises(UserError, match="has seen no training rows"):
        EstimatorClassifier(bayes)(torch.zeros(1, 4))
    with pytest.raises(UserError, match="SVC cannot be fitted on 2 rows: The number of classes has to be greater"):
        fit(EstimatorClassifier("sklearn.svm.SVC"), loader([[0.0], [1.0]], [1, 1]), tmp_path)
    with pytest.raises(UserError, match="The 'C' parameter of SVC must be"):
        fit(EstimatorClassifier(SVC(C=-1.0)), loader([[0.0], [1.0]], [0, 1]), tmp_path)
    module = EstimatorClassifier(bayes)
    fit(module, loader([[0.0], [1.0]], [0, 1]), tmp_path)
    with pytest.raises(UserError, match=r"the inputs are \[2\] but EstimatorClassifier was fitted on \[1\]"):
        module(torch.zeros(1, 2))


@pytest.mark.learning
@pytest.mark.parametrize(
    ("estimator", "least"),
    [
        ("sklearn.svm.SVC", 0.93),
        ("sklearn.tree.DecisionTreeClassifier", 0.9),
        (FOREST, 0.9),
        ("sklearn.ensemble.GradientBoostingClassifier", 0.9),
        ("sklearn.naive_bayes.GaussianNB", 0.9),
        ({"class_path": "sklearn.cluster.KMeans", "init_args": {"n_clusters": 3, "n_init": 10}}, 0.8),
    ],
)
def test_it_tells_irises_apart(estimator, least, tmp_path):
    """One of three species by chance is a third; labels that do not belong to their rows give about that."""
    torch.manual_seed(0)
    module, data = EstimatorClassifier(estimator), IrisDataModule()
    trainer = fit(module, data, tmp_path)
    assert trainer.test(module, data, verbose=False)[0]["test/accuracy"] >= least
