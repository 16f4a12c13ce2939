"""The names and defaults that options show: one table for help, completion and the library. Standard library only.

Each name here is a key of a table in the library; ``tests/test_choices.py`` holds the two together.
"""

import difflib

AUTO, MANIFEST, RANDOM = "auto", "manifest", "random"
MANIFEST_FILE = "manifest.jsonl"  # as `blur` names it in its output folder

# Pictures
FORMATS = ("jpeg", "png", "webp", "tiff", "bmp", "avif")
QUALITY = 95  # of lossy formats
MEGAPIXELS = 250  # larger pictures are refused
COLOURS = ("white", "black")  # understood beside #rrggbb

# Point spread functions
DIRECTIONS = ("horizontal", "vertical", "diagonal", "antidiagonal")  # of a motion, beside degrees
PSFS = ("gaussian", "motion", "defocus", "box", "trajectory", "paper-motion", "file")
VARYING = ("varying",)  # motion without a PSF, for `blur` only
DRAWN = ("gaussian", "motion", "defocus", "trajectory")  # that `random` draws from
ESTIMATED = (AUTO, "motion", "gaussian", "defocus", "general")

# Triage
VERDICTS = ("shaken", "motion", "defocus", "soft", "slightly-soft", "unsure", "sharp")  # the worst first
BLURRED = "blurred"  # stands for all of these but the last two
COURSES = ("undo", "blindly", "leave")  # what `deblur` does about a picture

# Restoration
MODELS = (
    "faces", "paper-gaussian", "paper-motion", "photo", "photo-large", "refine", "srcnn-gaussian", "srcnn-motion",
)  # fmt: skip
REFINE = "refine"  # of these the one that corrects a restored picture, and restores none by itself
BLINDS = "photo", "photo-large"  # of these for photographs of whose blur nothing is known
BLIND = BLINDS[0]  # the quick one
PROVIDERS = (AUTO, "tensorrt", "cuda", "openvino", "coreml", "directml", "cpu")
METHODS = ("wiener", "richardson-lucy", "sparse", "inverse")
REFINED, ITERATING = METHODS[:2]  # that a network can correct, that --iterations is of
ITERATIONS = 30

# Scores
METRICS = ("psnr", "ssim", "mae", "mse", "ms-ssim", "psnr-y", "ssim-y", "gmsd", "sharpness")
SCORED = ("psnr", "ssim", "mae", "mse")  # when no metric is named
SHOWN = ("ssim", "psnr")  # on a contact sheet, when no metric is named
CONVENTIONS = ("tf", "skimage", "basicsr")
MEAN, EACH = GATES = ("mean", "each")
PICKS = ("spread", "first", "worst", "best")


def did_you_mean(name: str, names: tuple[str, ...]) -> str:
    """The beginning of a remedy, ``did you mean motion? ``, where a name is much like this one; else nothing."""
    close = difflib.get_close_matches(name.lower(), names, 1, cutoff=0.7)  # so that gpu is not cpu
    return f"did you mean {close[0]}? " if close else ""
