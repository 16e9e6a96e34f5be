"""The catalogue of desks: presets as YAML files, and what is made of them.

`preset.py` reads and checks a file, `building.py` makes an external system of one. A preset is a document of one
external system: the same form in which a configuration is exported.
"""

from integrations.catalogue.building import add
from integrations.catalogue.preset import Preset, PresetProblem, codes, load, read

__all__ = ["Preset", "PresetProblem", "add", "codes", "load", "read"]
