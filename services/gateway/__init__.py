"""Jobs over HTTP: what comes in is checked, written down and answered for. Light: loads no audio or tensor library."""
