"""Names the platforms that a wheel is for: those of CKPTCONV_PLATFORM, joined with dots."""

import os

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + os.environ["CKPTCONV_PLATFORM"]
