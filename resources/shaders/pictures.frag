uniform sampler2D u_atlas;
uniform float u_alpha;
varying vec2 v_place;

void main() {
    gl_FragColor = vec4(texture2D(u_atlas, v_place).rgb, u_alpha);
}
