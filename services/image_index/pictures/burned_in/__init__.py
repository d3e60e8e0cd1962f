"""Text burnt into a picture: read, judged by whether it could name the patient, and covered."""
