attribute vec3 a_position;
attribute vec2 a_place;  // in the atlas
varying vec2 v_place;

void main() {
    v_place = a_place;
    gl_Position = $transform(vec4(a_position, 1.0));
}
