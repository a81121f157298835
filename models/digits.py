"""The handwritten digits that come with scikit-learn, and what the cards of their networks share."""
import numpy
from sklearn.datasets import load_digits

LABELS = [str(digit) for digit in range(10)]
LARGEST_PIXEL = 16


def load():
    """Images [1797, 1, 8, 8] float32 in 0…1, classes [1797]."""
    images, targets = load_digits().images, load_digits().target
    return (images[:, None] / LARGEST_PIXEL).astype(numpy.float32), targets.astype(numpy.int64)


CARD = {
    "task": "The digit in an 8×8 grey image; one logit per digit.",
    "data": "sklearn.datasets.load_digits: 1797 images, the test part of Optical Recognition of Handwritten "
            "Digits (E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, 1998, doi:10.24432/C50P49).",
    "dataLicense": "CC BY 4.0",
    "split": "1437 images for training, 360 held back for the test, stratified by digit, random_state 0. The "
             "same writers occur in both parts. Settings were checked on a fifth of the training part; the "
             "test part did not choose anything.",
    "inputScaling": "Grey values 0…16 divided by 16: 0 is paper, 1 is ink; [N, 1, 8, 8] float32.",
}
