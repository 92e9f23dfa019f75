// One 20-byte vertex per point. GLSL 1.20, so that it runs wherever OpenGL 2.1 does.
attribute vec3 a_position;
attribute float a_rgb;         // r + 256 g + 65536 b, exact below 2^24
attribute float a_confidence;

uniform mat4 u_clip_from_visual;
uniform float u_size_px;            // size of a point at u_reference_depth
uniform float u_reference_depth;    // 0: the same size everywhere
uniform float u_min_confidence;

varying vec3 v_color;

void main() {
    if (a_confidence < u_min_confidence) {
        gl_Position = vec4(2.0, 2.0, 2.0, 1.0);  // outside the clip volume: dropped before rasterisation
        gl_PointSize = 1.0;
        v_color = vec3(0.0);
        return;
    }
    gl_Position = u_clip_from_visual * vec4(a_position, 1.0);
    float size = u_size_px;
    if (u_reference_depth > 0.0) {
        // w is the depth along the view direction.
        size = min(size * u_reference_depth / max(gl_Position.w, 1e-6), 16.0);
    }
    gl_PointSize = max(size, 1.0);
    float blue = floor(a_rgb / 65536.0);
    float green = floor((a_rgb - blue * 65536.0) / 256.0);
    float red = a_rgb - blue * 65536.0 - green * 256.0;
    v_color = vec3(red, green, blue) / 255.0;
}
