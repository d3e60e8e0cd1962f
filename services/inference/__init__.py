"""What both model services share: sessions that run a model, and batching."""

import os

# The onnxruntime wheels for Linux send usage data to their maker and keep a device id in the home folder, from the
# import on. A service beside patient data does neither, unless its operator says so.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
