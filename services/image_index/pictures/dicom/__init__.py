"""DICOM objects, read as a viewer shows them. README.md says where that differs on purpose."""
