import numpy as np
import pytest

from audionet.dataset.samples import Dataset
from audionet.evaluation.cross_validation import fit_and_evaluate
from audionet.options import FitOptions, SplitOptions
from audionet.system.progress import silent
from audionet.training.classifier import Trainer
from audionet.training.folds import plan_evaluation
from audionet.training.split import TEST, TRAIN
from audionet.training.subspace import span
from tests.conftest import sample_of


@pytest.mark.parametrize("refit", [True, False])
def test_what_was_held_out_is_learnt_in_the_end_unless_it_is_not_wanted(refit: bool) -> None:
    """Of so many recordings, one split is measured."""
    features = np.random.default_rng(0).normal(0, 1, (80, 50)) + np.arange(80)[:, None] % 2
    dataset = Dataset([sample_of(f"class {n % 2}", f"recording {n}", 0.0, 1.0) for n in range(80)])
    trainer = Trainer(span(features.astype(np.float16), seed=0), dataset, 1.0, FitOptions(steps=10))
    plan = plan_evaluation(dataset, SplitOptions(refit=refit))
    result = fit_and_evaluate(trainer, dataset, plan, store=None, progress=silent)
    assert result.evaluation is not None
    assert result.evaluation.confusion.count == len(plan.split.indices(TEST)) > 0
    learnt = np.arange(80) if refit else plan.split.indices(TRAIN)
    assert np.array_equal(result.classifier.centroid, trainer.fit(learnt).classifier.centroid)
