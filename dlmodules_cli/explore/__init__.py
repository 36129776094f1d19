"""``explore``: a page in the browser over a module that decodes codes, or samples or classifies images."""
