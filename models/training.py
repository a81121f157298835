"""What the training scripts share: the augmentation and one deterministic training loop.

The test part is drawn first and scored after the last epoch of the final training. Choices between networks
and between settings are made by cross-validation over the rest (`--validate`), which never sees the test.
"""
import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import splits


@dataclass
class Split:
    """Inputs [N, …] float32 and classes [N] of the training part and of the part held back."""
    inputs: torch.Tensor
    targets: torch.Tensor
    held_back_inputs: torch.Tensor
    held_back_targets: torch.Tensor


@dataclass
class Recipe:
    epochs: int
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    label_smoothing: float = 0.05
    average_decay: float = 0.98
    seed: int = 0


def be_deterministic(seed):
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)


def test_split(inputs, targets, **options):
    return Split(*(torch.from_numpy(part) for part in splits.hold_back_test(inputs, targets, **options)))


def validation_splits(split):
    """Stratified folds of the training part alone."""
    inputs, targets = split.inputs, split.targets
    for kept, held_back in splits.validation_folds(inputs, targets):
        yield Split(inputs[kept], targets[kept], inputs[held_back], targets[held_back])


def jitter_images(images):
    """Shifts by up to 0.8 pixels of 8, turns by up to 10°, scales by up to 10 %, shears. [N, C, 8, 8]"""
    count = len(images)
    def uniform(limit):
        return (torch.rand(count) * 2 - 1) * limit
    angle, shear = uniform(math.radians(10)), uniform(0.1)
    width, height = 1 + uniform(0.1), 1 + uniform(0.1)
    shift = torch.stack([uniform(0.2), uniform(0.2)], 1)
    rows = torch.stack([
        torch.stack([width * angle.cos(), shear - angle.sin(), shift[:, 0]], 1),
        torch.stack([angle.sin(), height * angle.cos(), shift[:, 1]], 1)], 1)
    grid = functional.affine_grid(rows, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def train(model, split, recipe, augment=lambda inputs: inputs):
    """Trains with AdamW and one cosine cycle; returns the exponential moving average of the weights."""
    optimizer = torch.optim.AdamW(model.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    # A batch of one item has no variance: the last, short batch is left out; the order changes each epoch.
    steps_per_epoch = len(split.inputs) // recipe.batch_size
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=recipe.epochs * steps_per_epoch)
    average = AveragedModel(
        model, multi_avg_fn=get_ema_multi_avg_fn(recipe.average_decay), use_buffers=True)
    loss_function = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    for _ in range(recipe.epochs):
        model.train()
        order = torch.randperm(len(split.inputs))
        for step in range(steps_per_epoch):
            batch = order[step * recipe.batch_size : (step + 1) * recipe.batch_size]
            loss = loss_function(model(augment(split.inputs[batch])), split.targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            average.update_parameters(model)
    return average.module.eval()


def wrong_count(model, split):
    """How many held-back items do not have their largest logit at their class."""
    with torch.no_grad():
        return int((model(split.held_back_inputs).argmax(1) != split.held_back_targets).sum())


def final_training(network, recipe, split, augment=lambda inputs: inputs):
    """Trains on all of the training part; returns the model and its accuracy on the test part."""
    be_deterministic(recipe.seed)
    model = train(network(), split, recipe, augment)
    wrong, count = wrong_count(model, split), len(split.held_back_targets)
    print(f"test accuracy {1 - wrong / count:.4f}, {wrong} of {count} wrong", flush=True)
    return model, round(1 - wrong / count, 4)


def cross_validate(network, recipe, split, augment=lambda inputs: inputs):
    """Returns how many items of the training part are wrong when each is held back once."""
    wrong = 0
    for fold in validation_splits(split):
        be_deterministic(recipe.seed)
        wrong += wrong_count(train(network(), fold, recipe, augment), fold)
    print(f"cross-validation: {wrong} of {len(split.targets)} wrong", flush=True)
    return wrong
