"""All that `bench.gpu` uses of the product: nothing here needs more than torch, transformers and numpy."""

from bench.rounds import Rounds as Rounds
from bench.rounds import race as race
from diet_core.config import TrainingConfig as TrainingConfig
from diet_core.errors import DietError as DietError
from diet_core.run_config import Environment as Environment
from diet_core.scoring.el2n import el2n as el2n
from diet_core.scoring.el2n import grand as grand
from diet_core.training import devices as devices
from diet_core.training.batches import Encoded as Encoded
from diet_core.training.batches import scoring_batches as scoring_batches
from diet_core.training.first_token import trim_last_layer as trim_last_layer
from diet_core.training.gradients.norms import read_gradients as read_gradients
from diet_core.training.loop import fine_tune as fine_tune
from diet_core.training.loop import rate_factor as rate_factor
from diet_core.training.readout import Readout as Readout
from diet_core.training.readout import read_out as read_out
