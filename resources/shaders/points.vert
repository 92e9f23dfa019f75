// One 24-byte vertex per point. GLSL 1.20, so that it runs wherever OpenGL 2.1 does.
// VALUE_COLORS and CLIP_BOX are defined where they are needed: software renderers run every line for every point.
attribute vec3 a_position;
attribute float a_rgb;         // r + 256 g + 65536 b, exact below 2^24
attribute float a_confidence;
attribute float a_frame;

uniform mat4 u_clip_from_visual;
uniform float u_size_px;            // size of a point at u_reference_depth
uniform float u_reference_depth;    // 0: the same size everywhere
uniform float u_min_confidence;
uniform vec2 u_frames;              // first and last frame drawn
uniform vec4 u_tint;                // colour and share of it
#ifdef VALUE_COLORS
uniform vec3 u_value_weights;       // what is shown: distance from the eye, confidence or frame
uniform vec3 u_eye;
uniform vec2 u_value_range;
uniform vec3 u_ramp[5];
#endif
#ifdef CLIP_BOX
uniform mat4 u_stage_from_visual;
uniform vec3 u_box_low;
uniform vec3 u_box_high;
#endif

varying vec3 v_color;

bool is_hidden() {
    if (a_confidence < u_min_confidence || a_frame < u_frames.x || a_frame > u_frames.y) {
        return true;
    }
#ifdef CLIP_BOX
    vec3 place = (u_stage_from_visual * vec4(a_position, 1.0)).xyz;
    return any(lessThan(place, u_box_low)) || any(greaterThan(place, u_box_high));
#else
    return false;
#endif
}

vec3 own_color() {
#ifdef VALUE_COLORS
    vec3 values = vec3(distance(a_position, u_eye), a_confidence, a_frame);
    float value = dot(values, u_value_weights);
    float place = clamp((value - u_value_range.x) / (u_value_range.y - u_value_range.x), 0.0, 1.0) * 4.0;
    vec3 color = mix(u_ramp[0], u_ramp[1], clamp(place, 0.0, 1.0));
    color = mix(color, u_ramp[2], clamp(place - 1.0, 0.0, 1.0));
    color = mix(color, u_ramp[3], clamp(place - 2.0, 0.0, 1.0));
    return mix(color, u_ramp[4], clamp(place - 3.0, 0.0, 1.0));
#else
    float blue = floor(a_rgb / 65536.0);
    float green = floor((a_rgb - blue * 65536.0) / 256.0);
    float red = a_rgb - blue * 65536.0 - green * 256.0;
    return vec3(red, green, blue) / 255.0;
#endif
}

void main() {
    if (is_hidden()) {
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
    v_color = mix(own_color(), u_tint.rgb, u_tint.a);
}
