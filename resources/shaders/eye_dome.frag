// Eye-dome lighting: a pixel darkens by how much nearer its neighbours are, which draws edges without normals.
uniform sampler2D u_color;
uniform sampler2D u_depth;
uniform vec2 u_texel;       // size of a pixel in texture coordinates
uniform vec2 u_near_far;    // clip planes, scene units
uniform float u_strength;
uniform float u_radius_px;

varying vec2 v_place;

float log_distance(float depth) {
    float near = u_near_far.x;
    float far = u_near_far.y;
    return log2(near * far / (far - depth * (far - near)));
}

float rise(vec2 direction, float own) {
    float depth = texture2D(u_depth, v_place + direction * u_texel * u_radius_px).r;
    // Capped, or a far wall seen through the gaps of a sparse near surface turns black.
    return depth < 1.0 ? clamp(own - log_distance(depth), 0.0, 0.12) : 0.0;
}

void main() {
    float depth = texture2D(u_depth, v_place).r;
    if (depth >= 1.0) {
        discard;  // no point here: the background stays
    }
    float own = log_distance(depth);
    float sum = rise(vec2(1.0, 0.0), own) + rise(vec2(-1.0, 0.0), own)
              + rise(vec2(0.0, 1.0), own) + rise(vec2(0.0, -1.0), own)
              + rise(vec2(0.7, 0.7), own) + rise(vec2(-0.7, 0.7), own)
              + rise(vec2(0.7, -0.7), own) + rise(vec2(-0.7, -0.7), own);
    float shade = exp2(-u_strength * sum);
    gl_FragColor = vec4(texture2D(u_color, v_place).rgb * shade, 1.0);
    gl_FragDepth = depth;  // lines drawn later are hidden by points as if these had been drawn directly
}
