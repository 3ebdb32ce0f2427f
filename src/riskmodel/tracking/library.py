"""MLflow's names, imported in this one place: quietly, because it warns of its own type hints while it loads."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import mlflow
    import mlflow.pyfunc
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.meta_dataset import MetaDataset
    from mlflow.data.pandas_dataset import from_pandas
    from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelOutput, Metric, Param
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model
    from mlflow.models.signature import ModelSignature
    from mlflow.pyfunc import PythonModel
    from mlflow.tracking import MlflowClient
    from mlflow.types.schema import ColSpec, DataType, ParamSchema, ParamSpec, Schema
    from mlflow.utils import requirements_utils
    from sqlalchemy.exc import SQLAlchemyError

__all__ = [
    "CodeDatasetSource",
    "ColSpec",
    "DataType",
    "Dataset",
    "DatasetInput",
    "InputTag",
    "LoggedModelOutput",
    "MetaDataset",
    "Metric",
    "MlflowClient",
    "MlflowException",
    "Model",
    "ModelSignature",
    "Param",
    "ParamSchema",
    "ParamSpec",
    "PythonModel",
    "SQLAlchemyError",
    "Schema",
    "from_pandas",
    "mlflow",
    "requirements_utils",
]
