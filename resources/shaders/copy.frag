// Puts a picture with its depth onto another, where it shows something.
uniform sampler2D u_color;
uniform sampler2D u_depth;

varying vec2 v_place;

void main() {
    float depth = texture2D(u_depth, v_place).r;
    if (depth >= 1.0) {
        discard;
    }
    gl_FragColor = vec4(texture2D(u_color, v_place).rgb, 1.0);
    gl_FragDepth = depth;  // lines drawn later are hidden by points as if these had been drawn directly
}
