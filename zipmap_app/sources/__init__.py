"""Where frames come from: videos, pictures, folders, cameras, network streams and a built-in scene."""
