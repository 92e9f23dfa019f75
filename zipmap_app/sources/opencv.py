"""The one import of OpenCV in the application.

OpenCV and the FFmpeg inside it write warnings about damaged files straight to stderr. Both read their log
level from the environment when they are loaded, so it has to be set before the import.

OpenCV works on one thread here: pictures are small, and beside a working model its helpers wait for a processor.
Decoding videos has threads of its own.
"""

import os

os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET

import cv2

cv2.setNumThreads(1)

__all__ = ["cv2"]
