"""Which items are held back for the test. Needs no torch, so that whoever only scores a model can draw the same split."""
from sklearn.model_selection import StratifiedKFold, train_test_split

RANDOM_STATE = 0
TEST_FRACTION = 0.2
VALIDATION_FOLD_COUNT = 5


def hold_back_test(inputs, targets, fraction=TEST_FRACTION, random_state=RANDOM_STATE):
    """Inputs and classes of the training part, then of the part held back."""
    kept, test, kept_targets, test_targets = train_test_split(
        inputs, targets, test_size=fraction, stratify=targets, random_state=random_state)
    return kept, kept_targets, test, test_targets


def validation_folds(inputs, targets):
    """Indices (kept, held back) of stratified folds of the training part alone."""
    return StratifiedKFold(VALIDATION_FOLD_COUNT, shuffle=True, random_state=RANDOM_STATE).split(inputs, targets)
