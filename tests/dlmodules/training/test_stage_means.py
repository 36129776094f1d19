from dlmodules.training.stage_means import StageMeans


def test_validation_and_test_have_means_of_their_own_which_no_checkpoint_holds() -> None:
    means = StageMeans(("loss", "accuracy"))
    means.of("val")["loss"].update(1.0)
    means.of("val")["loss"].update(3.0)
    means.of("test")["loss"].update(5.0)
    assert means.of("val")["loss"].compute() == 2
    assert means.of("test")["loss"].compute() == 5
    assert list(means.of("val")) == ["loss", "accuracy"]
    assert means.of("val")["accuracy"].update_count == 0
    assert means.state_dict() == {}
