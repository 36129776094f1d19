import torch
from torch import nn

from dlmodules.style.objective import FORMULAS, LayerSize, StyleObjective, gram_matrix, squared_differences


class TwoLayers(nn.Module):
    """An image, and the same in half its brightness, as layers."""

    def forward(self, images):
        return {"whole": images, "half": images / 2}


def test_gram_matrix_is_the_mean_product_of_two_channels():
    features = torch.tensor([[[[1.0, 2.0]], [[3.0, -1.0]]]])  # two channels, two positions
    wanted = torch.tensor([[[(1 + 4) / 2, (3 - 2) / 2], [(3 - 2) / 2, (9 + 1) / 2]]])
    assert torch.equal(gram_matrix(features), wanted)


def test_gram_matrix_does_not_know_where_things_are():
    features = torch.randn(1, 4, 3, 5)
    order = torch.randperm(15)
    moved = features.flatten(2)[:, :, order].view(1, 4, 3, 5)
    torch.testing.assert_close(gram_matrix(features), gram_matrix(moved))
    torch.testing.assert_close(gram_matrix(features), gram_matrix(torch.cat([features, features], dim=3)))


def test_content_of_each_formula_by_hand():
    found, wanted = torch.tensor([[[[1.0, 2.0]]]]), torch.tensor([[[[3.0, 1.0]]]])  # squares of 4 and 1, of 10
    for name, distance in (("relative", 0.5), ("gatys", 2.5), ("book", 5.0)):
        assert FORMULAS[name].content(found, wanted).tolist() == [distance], name


def test_style_is_the_papers_and_the_books_sum_over_plain_gram_matrices():
    torch.manual_seed(0)
    found, wanted = torch.randn(2, 1, 5, 4, 3)  # 5 channels, 12 positions, of an image of 8 x 6 pixels
    size = LayerSize(channels=5, positions=12, pixels=48)
    sums = [images[0].flatten(1) @ images[0].flatten(1).T for images in (found, wanted)]
    difference = float((sums[0] - sums[1]).square().sum())
    grams = gram_matrix(found), gram_matrix(wanted)
    gatys = float(FORMULAS["gatys"].style(*grams, size))
    assert abs(gatys / (difference / (4 * 5**2 * 12**2)) - 1) < 1e-5
    book = float(FORMULAS["book"].style(*grams, size))
    assert abs(book / (difference / (4 * 3**2 * 48**2)) - 1) < 1e-5
    relative = float(FORMULAS["relative"].style(*grams, size))
    assert abs(relative / (difference / float(sums[1].square().sum())) - 1) < 1e-5


def test_variation_of_each_formula_by_hand():
    images = torch.tensor([[[[0.0, 0.2], [0.4, 1.0]]]])  # one pixel has both neighbours: 0.4 below, 0.2 to the right
    torch.testing.assert_close(squared_differences(images), torch.tensor([[[[0.16 + 0.04]]]]))
    for name, wanted in (("relative", 0.2), ("gatys", 0.2), ("book", (255**2 * 0.2) ** 1.25)):
        torch.testing.assert_close(FORMULAS[name].variation(images), torch.tensor([wanted]))
    large = torch.rand(1, 3, 4, 5)
    gatys, relative = (FORMULAS[name].variation(large) for name in ("gatys", "relative"))
    torch.testing.assert_close(gatys, relative * 3 * 3 * 4)


def test_judgement_is_the_mean_over_the_layers():
    content, style, found = torch.rand(3, 1, 3, 4, 4)
    objective = StyleObjective(TwoLayers(), ["whole"], ["whole", "half"], FORMULAS["relative"])
    judged = objective.judge(found, objective.targets(content, style))
    torch.testing.assert_close(judged.content, ((found - content) ** 2).sum()[None] / (content**2).sum())
    one = FORMULAS["relative"].style(gram_matrix(found), gram_matrix(style), LayerSize(3, 16, 16))
    torch.testing.assert_close(judged.style, one)  # a half of everything is the same in parts of its target
    gatys = objective.judge(found, objective.targets(content, style), FORMULAS["gatys"])
    whole = FORMULAS["gatys"].style(gram_matrix(found), gram_matrix(style), LayerSize(3, 16, 16))
    torch.testing.assert_close(gatys.style, (whole + whole / 16) / 2)


def test_a_picture_is_its_own_content_and_its_own_style():
    picture = torch.rand(1, 3, 4, 4)
    objective = StyleObjective(TwoLayers(), ["whole"], ["half"], FORMULAS["gatys"])
    judged = objective.judge(picture, objective.targets(picture, picture))
    assert float(judged.content) == float(judged.style) == 0.0


def test_several_pictures_are_one_style():
    objective = StyleObjective(TwoLayers(), ["whole"], ["whole"], FORMULAS["relative"])
    style = torch.rand(3, 3, 4, 4)
    torch.testing.assert_close(objective.style_targets(style)["whole"][0], gram_matrix(style).mean(dim=0))
