"""Reports: scores of many pictures, gates, contact sheets and the HTML page."""
