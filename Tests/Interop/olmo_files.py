"""OLMo's own code for its safetensors files, imported without the rest of OLMo."""

import importlib.util
import sys
import types

# The package's __init__ imports the trainer and all that it needs; safetensors_util needs torch.
package = types.ModuleType("olmo")
package.__path__ = list(importlib.util.find_spec("olmo").submodule_search_locations)
sys.modules["olmo"] = package

from olmo.safetensors_util import (  # noqa: E402
    decode_key, safetensors_file_to_state_dict, state_dict_to_safetensors_file)

__all__ = ["decode_key", "safetensors_file_to_state_dict", "state_dict_to_safetensors_file"]
