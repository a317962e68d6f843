"""Where the packages are; everything else stands in pyproject.toml.

`configs/` and `resources/` lie at the top of the repository, where people look for them, and are
installed inside the package.
"""

from setuptools import find_namespace_packages, find_packages, setup

SHARED = ("configs", "resources")

setup(
    packages=[
        *find_packages(include=["autox_video", "autox_video.*"]),
        *(f"autox_video.{folder}" for folder in SHARED),
        *(f"autox_video.{folder}.{name}" for folder in SHARED for name in find_namespace_packages(folder)),
    ],
    package_dir={f"autox_video.{folder}": folder for folder in SHARED},
    package_data={"": ["*"]},
)
