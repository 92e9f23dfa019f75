"""The conventions every module of this package keeps.

Axes letters of tensor names: B scenes, S views of a scene, T query views, P tokens of a view (special ones
first), N patches, L tokens of a sequence, C channels, H W pixels, h fast-weight heads.

Cameras are OpenCV: x right, y down, z forward. ``world_from_camera`` is the 4x4 matrix that maps camera
coordinates to world coordinates; ``camera_from_world`` is its inverse (what a pose encoding holds). Intrinsics
are 3x3 in pixels with the principal point at (W/2, H/2).

Pixels: unprojection counts pixels at integer coordinates 0..W-1, query rays go through pixel centres (+0.5).
The published models were trained with exactly this mixture (spec/model.md 13.5), so both stay.

Scale: translations, depth and local points of one scene share one arbitrary unit. Images are float32 RGB in
[0, 1]; depth is measured along z.
"""
