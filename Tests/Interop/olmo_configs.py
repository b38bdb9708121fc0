"""OLMo's own loader of configurations, without the clients of clouds that its package imports."""

import importlib
import pathlib
import sys
import types
from enum import Enum

import olmo_files  # noqa: F401  finds OLMo without importing it

# A package of another name, so that tests that import the real one are not disturbed.
PACKAGE = "olmo_without_clouds"

package = types.ModuleType(PACKAGE)
package.__path__ = list(sys.modules["olmo"].__path__)
sys.modules[PACKAGE] = package


class StrEnum(str, Enum):
    def __str__(self):
        return self.value


util = types.ModuleType(f"{PACKAGE}.util")
util.StrEnum = StrEnum
sys.modules[util.__name__] = util

config = importlib.import_module(f"{PACKAGE}.config")


def model(text, folder):
    """The ModelConfig that OLMo sees in the text of a configuration, as a dict."""
    path = pathlib.Path(folder) / "loaded.yaml"
    path.write_text(text)
    return config.ModelConfig.load(path, key="model", validate_paths=False).asdict()


def train(text, folder):
    """The whole configuration that OLMo's trainer sees, as a dict."""
    path = pathlib.Path(folder) / "loaded.yaml"
    path.write_text(text)
    return config.TrainConfig.load(path, validate_paths=False).asdict()
