"""MindSpore vision research zoo. From Python: `load_model(path).predict(files)`."""


def load_model(path: str):
    """A trained network for prediction on the CPU: see `src.tasks.classification.prediction.TrainedModel`.

    Args:
        path: a checkpoint of this zoo.

    Raises:
        UserError: not there, damaged, or not a checkpoint of this zoo.
    """
    from src.runtime.device import prepare_process

    prepare_process()  # before MindSpore loads, that is, before anything that imports it
    from src.commands.opened_checkpoint import load_model

    return load_model(path)
