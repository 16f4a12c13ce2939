"""Everything deblurcli raises on purpose.

::

    DeblurError
    ├── ImageError      a file that is no image, is damaged, or cannot be written
    ├── PSFError        a PSF specification or PSF file that makes no sense
    ├── ModelError      weights that are missing, damaged or of another shape
    ├── ProviderError   an inference provider that is not available here
    ├── PlanError       inputs and outputs that cannot be paired safely
    ├── GateError       a bound on scores that makes no sense
    └── ClusterError    a Dask cluster that cannot be reached or used

Each message is one line that names the culprit and the remedy, fit to be shown to a user as it is.
"""


class DeblurError(Exception):
    """Base of every error deblurcli raises on purpose."""


class ImageError(DeblurError):
    """A file that is no image, is damaged, or cannot be written."""


class PSFError(DeblurError):
    """A PSF specification or PSF file that makes no sense."""


class ModelError(DeblurError):
    """Weights that are missing, damaged or of another shape."""


class ProviderError(DeblurError):
    """An inference provider that is not available here."""


class PlanError(DeblurError):
    """Inputs and outputs that cannot be paired safely."""


class GateError(DeblurError):
    """A bound on scores that makes no sense."""


class ClusterError(DeblurError):
    """A Dask cluster that cannot be reached or used."""
