"""What a site's own reports tell of its encoder: fitted, judged on patients that the fit did not see, and written."""
