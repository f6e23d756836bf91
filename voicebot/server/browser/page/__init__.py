"""The page /talk/AGENT and the script tag: HTML, CSS and JavaScript as they are served."""
