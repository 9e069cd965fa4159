"""Callbacks: what else happens at the moments of fit, evaluate and predict."""

from layerkit.backend.names import explain_missing

from .averages import SwapEMAWeights
from .backup import BackupAndRestore
from .callback import Callback, LambdaCallback
from .callback_list import CallbackList
from .checkpoint import ModelCheckpoint
from .learning_rate import LearningRateScheduler, ReduceLROnPlateau
from .loggers import CSVLogger, History, ProgbarLogger
from .monitor import MonitorCallback
from .remote import RemoteMonitor
from .stopping import EarlyStopping, TerminateOnNaN
from .tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "MonitorCallback",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]

explain_missing(__name__)
